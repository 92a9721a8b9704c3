"""`ticketchain issue`: the tickets of a manifest or of a stored seat plan, through the service's API.

The Idempotency-Key follows from event and file or plan, so the command can be stopped at any moment and given again:
that is issued once, and the second run only goes on waiting.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ticketchain.cli.event import ASK_EVERY_S, Event, wait_until_open
from ticketchain.cli.remote import HERE, Key, Refused, Service, Url, key_of, service

MEDIA = {".csv": "text/csv", ".json": "application/json"}


def issue(
    event_id: Event,
    key: Key,
    manifest: Annotated[
        Path | None,
        typer.Argument(
            help="One row a seat, as .csv or .json; see docs and examples/hall.csv.", exists=True, dir_okay=False
        ),
    ] = None,
    plan: Annotated[str, typer.Option(help="Id of a seat plan (pln_…) instead of a manifest.", metavar="PLAN")] = "",
    price_class: Annotated[
        list[str] | None,
        typer.Option(
            help="Which price class a category of the plan gets, as CATEGORY=CLASS; CATEGORY= leaves its seats out. "
            "Others get the class of the same code. May be repeated.",
            metavar="CATEGORY=CLASS",
        ),
    ] = None,
    url: Url = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Issue the tickets of a manifest or of a seat plan and wait until the ledger has all of them.

    A file with bad rows issues nothing; all of them are listed with row, field and fix.
    Ctrl-C and the same command again is fine: the same file is issued once.
    """
    with service(url, key) as api:
        if (manifest is None) == (not plan):
            raise Refused({"detail": "give either a manifest, or --plan with the id of a seat plan"})
        if manifest is not None:
            issued = send(api, event_id, manifest)
        else:
            issued = send_plan(api, event_id, plan, classes_of(price_class or []))
        batches = follow(api, issued)
    if as_json:
        typer.echo(json.dumps(issued | {"issued": True, "batches": batches}))
        return
    typer.echo(f"{issued['tickets']} tickets in {len(batches)} batches are on the ledger ({issued['id']})")


def send(api: Service, event_id: str, manifest: Path) -> Any:
    """Sends the file, once the ledger has the event. Raises `Refused`."""
    media = MEDIA.get(manifest.suffix.lower())
    if media is None:
        raise Refused({"detail": f"{manifest}: a manifest's name ends in .csv or .json"})
    data = manifest.read_bytes()
    with Console(stderr=True).status("checking and storing the manifest"):
        wait_until_open(api, event_id)
        path = f"/v1/events/{event_id}/batches"
        return api.post(path, idempotency_key=key_of("issue", event_id, data), body=data, media=media)


def send_plan(api: Service, event_id: str, plan_id: str, classes: dict[str, str | None]) -> Any:
    """Asks for the tickets of a plan, once the ledger has the event. Raises `Refused`."""
    wanted = {"plan_id": plan_id, "price_classes": classes}
    with Console(stderr=True).status("storing the tickets"):
        wait_until_open(api, event_id)
        key = key_of("issue", event_id, json.dumps(wanted, sort_keys=True))
        return api.post(f"/v1/events/{event_id}/batches", idempotency_key=key, json=wanted)


def classes_of(texts: list[str]) -> dict[str, str | None]:
    """CATEGORY=CLASS, each; no class leaves the category out. Raises `Refused`."""
    found: dict[str, str | None] = {}
    for text in texts:
        category, equals, code = text.rpartition("=")
        if not equals or not category:
            raise Refused({"detail": f"--price-class {text!r}: write CATEGORY=CLASS, such as Stalls=A"})
        found[category] = code or None
    return found


def follow(api: Service, issued: dict[str, Any]) -> list[dict[str, Any]]:
    """Shows the batches arriving on the ledger until all of them are there; the batches as they are then.

    Raises `Refused` when the ledger will not have one.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("tickets on the ledger", total=issued["tickets"])
        while True:
            items = api.get(f"/v1/events/{issued['event_id']}/batches")["items"]
            ours = [batch for batch in items if batch["issue_id"] == issued["id"]]
            progress.update(bar, completed=sum(batch["supply"] for batch in ours if batch["issued"]))
            if all(batch["issued"] for batch in ours):
                return ours
            if problem := next((batch["problem"] for batch in ours if batch["problem"]), None):
                raise Refused({"detail": f"the ledger refuses a batch: {problem}"})
            time.sleep(ASK_EVERY_S)
