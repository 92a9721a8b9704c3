"""`ticketchain event`: an organizer's events, through the service's API."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ticketchain.cli.remote import HERE, Key, Refused, Service, Url, key_of, service

ASK_EVERY_S = 0.5

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Event = Annotated[str, typer.Argument(help="Id of the event (evt_…).", metavar="EVENT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def event() -> None:
    """Create, look at, pause, move and cancel events, close their moves.

    Needs a running service and, to write, an organizer's key.
    """


@app.command()
def create(
    file: Annotated[
        Path,
        typer.Argument(help="JSON as POST /v1/events takes it, see examples/event.json.", exists=True, dir_okay=False),
    ],
    key: Key,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Create an event and wait until the ledger has it; the same file again finds the same event."""
    with service(url, key) as api:
        made = api.post("/v1/events", idempotency_key=key_of("event", file.read_bytes()), json=_read(file))
        with Console(stderr=True).status("waiting until the ledger has the event"):
            made = wait_until_open(api, made["id"])
    show_event(made, as_json)


@app.command()
def show(event_id: Event, url: Url = HERE, as_json: AsJson = False) -> None:
    """Show an event and how many of its tickets are free, held and sold."""
    with service(url) as api:
        found = api.get(f"/v1/events/{event_id}")
        stock = api.get(f"/v1/events/{event_id}/stock")["seats"]
    if as_json:
        show_event(found | {"stock": stock}, as_json)
        return
    show_event(found)
    table = Table("price class", "supply class", "state", "tickets")
    for row in stock:
        table.add_row(row["price_class"], row["supply_class"], row["state"], str(row["quantity"]))
    Console().print(table)


@app.command("close-moves")
def close_moves(
    event_id: Event,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; everybody can read it on the ledger.", prompt=True)],
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """End all gifts, resales and returns of an event for good, so that entry codes can be issued."""
    with service(url, key) as api:
        path = f"/v1/events/{event_id}"
        try:
            api.post(f"{path}/close-moves", idempotency_key=key_of("close", event_id), json={"reason": reason})
        except Refused as refused:
            if not (refused.code == "conflict" and api.get(path)["state"] == "open"):
                raise
            typer.echo(f"ticketchain: {refused}", err=True)  # on its way or closed already: what was wanted
        with Console(stderr=True).status("waiting until moves are closed on the ledger"):
            while not (closed := api.get(path))["moves_closed"]:
                time.sleep(ASK_EVERY_S)
    show_event(closed, as_json)


def wait_until_open(api: Service, event_id: str) -> Any:
    """The event, once the ledger has it for good. Raises `Refused` when the ledger will not have it."""
    while (found := api.get(f"/v1/events/{event_id}"))["state"] == "opening":
        if found["problem"]:
            raise Refused({"detail": f"the ledger refuses the event: {found['problem']}"})
        time.sleep(ASK_EVERY_S)
    return found


def show_event(event: dict[str, Any], as_json: bool = False) -> None:
    """Prints an event for a person, or as JSON."""
    if as_json:
        typer.echo(json.dumps(event))
        return
    terms, schedule = event["terms"], event["schedule"]
    typer.echo(f"{event['id']}  {event['title']}, {event['venue']}: {event['state']}")
    if event["sales_stopped"] is not None:
        typer.echo(f"  stopped  it sells nothing now: {event['sales_stopped']}")
    classes = ", ".join(f"{c['code']} {c['all_in']}" for c in event["price_classes"])
    typer.echo(f"  prices   {classes} (minor units of {event['currency']}, all in)")
    parts = [f"{fee['name']} {fee['bps']} bps + {fee['fixed']}" for fee in event["fees"]]
    parts += [f"{event['tax']['name']} {event['tax']['bps']} bps, contained"] if event["tax"] else []
    if parts:
        typer.echo(f"  of them  {'; '.join(parts)}")
    opens = event["sale"]["opens_at"]
    typer.echo(f"  on sale  {f'from {opens} ' if opens else ''}to {event['sale']['closes_at']}")
    typer.echo(f"  doors    {schedule['doors_at']}; moves close {schedule['moves_close_at']}")
    promised = ", ".join(f"{count} {name}" for name, count in terms["supplies"].items() if count)
    typer.echo(f"  tickets  never more than {promised}")
    typer.echo(f"  resale   up to {terms['cap_bps']} bps of the face price, royalty {terms['royalty_bps']} bps")
    for payee in event["payees"]:
        typer.echo(f"  payee    {payee['bps']:>5} bps  {payee['address']}  {payee['name']}")


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused({"detail": f"{file} is no JSON: {error}"}) from error
