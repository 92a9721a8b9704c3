"""`ticketchain worker`: only the loops, any number of processes; each loop runs in one of them at a time."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Annotated

import typer

from ticketchain.cli import logs
from ticketchain.cli.local import INTERRUPTED, Data, Rpc, one_sentence, settings_of, tell
from ticketchain.cli.running import Running, Stop, live_chain, where, working
from ticketchain.context import open_context
from ticketchain.settings import Settings


def worker(
    data: Data = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people (and the payment provider) reach the API.", metavar="URL")
    ] = None,
    rpc: Rpc = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what it works on as one JSON line.")] = False,
) -> None:
    """Run the loops behind `ticketchain api` until Ctrl-C; start more of them for more hands. Needs --rpc.

    When one dies, the others have its loops within ten seconds; when it is stopped, within two.
    """
    settings = settings_of(data=data, base_url=base_url, rpc_url=rpc)
    logs.configure()
    with one_sentence():
        live_chain(settings, "worker")
        raise typer.Exit(run(settings, as_json))


def run(settings: Settings, as_json: bool = False) -> int:
    """Opens what the loops need, announces it, and waits; the exit status. Raises what `open_context` raises."""
    stop = Stop()
    stop.listen()
    try:
        with ExitStack() as stack:
            context = stack.enter_context(open_context(settings, tell))
            worker = stack.enter_context(working(context))
            places = where(context) | {"worker": context.leases.owner}
            typer.echo(json.dumps(places) if as_json else f"ticketchain's worker {context.leases.owner} works")
            return Running(context, worker).until(stop)
    except KeyboardInterrupt:
        return INTERRUPTED
