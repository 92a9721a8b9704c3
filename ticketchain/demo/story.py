"""The story in its order, with a service of its own or a running one."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ticketchain.demo import auditor, door, fans, market, organizer, report
from ticketchain.demo.hall import read_hall
from ticketchain.demo.service import Place, last_words, own_service
from ticketchain.demo.stage import Stage
from ticketchain.demo.web import DidNotHappen, Refusal, Web

DONE, FAILED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class Options:
    """What the command line can choose; without `url` the demo starts a service of its own."""

    keep: bool = False
    as_json: bool = False
    url: str = ""
    operator_key: str = ""
    rpc: str = ""
    manifest: Path | None = None


CHAPTERS = (
    organizer.prepare,
    organizer.issue,
    fans.sign_up,
    fans.buy,
    market.give,
    market.resell,
    market.hand_back,
    market.look,
    door.before_closing,
    organizer.close_moves,
    door.after_closing,
    door.admit,
    organizer.release,
)
"""What happens before the auditor comes; each takes the stage."""


def run(options: Options) -> int:
    """Plays the story; exit status 0 only if every check came true."""
    console = Console(stderr=options.as_json)
    try:
        with scene(options, console) as place:
            return play(options, place, console)
    except (Refusal, DidNotHappen) as problem:
        console.print(f"The demo stopped: {problem}", style="bold red", markup=False)
        return FAILED
    except KeyboardInterrupt:
        console.print("The demo was stopped.")
        return INTERRUPTED


def play(options: Options, place: Place, console: Console) -> int:
    """All chapters, the audit, and the result."""
    began = time.monotonic()
    before = auditor.read_chain(place) if options.url else None
    web = Web(place.url)
    try:
        stage = Stage(web, place, read_hall(options.manifest), console)
        chapters = {chapter.__name__: timed(chapter, stage) for chapter in CHAPTERS}
        audit = auditor.audit(stage, before)
        books, seconds = stage.books(), round(time.monotonic() - began)
    finally:
        web.close()
    if options.as_json:
        print(report.as_json(books, audit, stage.checks, chapters, seconds))
    else:
        report.show(console, books, stage.checks, seconds)
    return FAILED if report.failed(stage.checks) else DONE


def timed(chapter: Callable[[Stage], None], stage: Stage) -> float:
    """Plays one chapter; how many seconds it took."""
    began = time.monotonic()
    chapter(stage)
    return round(time.monotonic() - began, 2)


@contextmanager
def scene(options: Options, console: Console) -> Iterator[Place]:
    """The service to play with: a running one, or one of our own in a folder that is removed afterwards."""
    if options.url:
        yield running(options)
        return
    folder = Path(tempfile.mkdtemp(prefix="ticketchain-demo-"))
    try:
        with own_service(folder) as place:
            console.print(f"{'Service':>10}  runs at {place.url}, its chain at {place.rpc}", highlight=False)
            yield place
    except (Refusal, DidNotHappen):
        console.print(f"The service's last words:\n{last_words(folder)}", style="dim", markup=False, highlight=False)
        raise
    finally:
        if options.keep:
            console.print(f"kept: {folder}; look around with `ticketchain up --data {folder}`", highlight=False)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def running(options: Options) -> Place:
    """The running service that the options name. Raises `DidNotHappen` when it does not answer."""
    web = Web(options.url)
    try:
        ledger = web.get("/v1/ledger")["address"]
    finally:
        web.close()
    return Place(options.url, options.operator_key, options.rpc, ledger)
