"""`ticketchain event cancel`, `cancellation`, `reschedule`, `pause`, `resume`: what an organizer changes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ticketchain.cli.event import ASK_EVERY_S, AsJson, Event, app, show_event
from ticketchain.cli.remote import FAILED, HERE, Key, Refused, Service, Url, key_of, service
from ticketchain.domain.money import show

COULD_NOT_READ = 2
SHOWN = 50
"""Problems printed at most."""

Reason = Annotated[str, typer.Option(help="Why; everybody can read it on the ledger.", prompt=True)]
Time = Annotated[str | None, typer.Option(metavar="TIME", help="With its zone, like 2026-12-31T20:00:00+01:00.")]


@app.command()
def cancel(event_id: Event, key: Key, reason: Reason, url: Url = HERE, as_json: AsJson = False) -> None:
    """Cancel an event for good, and wait until everybody has got their money back. Stopped or killed, here or there, it
    goes on; the same command shows how far it is.
    """
    with service(url, key) as api:
        path = f"/v1/events/{event_id}"
        api.post(f"{path}/cancel", idempotency_key=key_of("cancel", event_id, reason), json={"reason": reason})
        done = _follow(api, path)
    _show(done, as_json)
    if failed := _paid_back(done, "failed")["refunds"]:
        typer.echo(f"ticketchain: the provider would not make {failed} refunds; a person must look", err=True)
        raise typer.Exit(FAILED)


@app.command()
def cancellation(
    event_id: Event,
    rpc: Annotated[
        str, typer.Option(help="RPC URL of a node: check the report against the chain.", metavar="URL")
    ] = "",
    from_block: Annotated[int, typer.Option(min=0, help="First block to read there: at most the deployment's.")] = 0,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Show how far a cancellation is; with --rpc, check it ticket by ticket against the chain (exit status 1: it does
    not agree, 2: the chain could not be read). Needs no key.
    """
    with service(url) as api:
        path = f"/v1/events/{event_id}"
        found = api.get(f"{path}/cancellation")
        problems = _checked(found, _tickets(api, path), rpc, from_block) if rpc else []
    _show(found | ({"problems": problems} if rpc else {}), as_json)
    for problem in problems[:SHOWN]:
        typer.echo(f"ticketchain: {problem}", err=True)
    if problems:
        typer.echo(f"ticketchain: {len(problems)} things are NOT as the chain says", err=True)
        raise typer.Exit(FAILED)
    if rpc and not as_json:
        typer.echo("  Every ticket was refunded in full, as the chain says.")


@app.command()
def reschedule(
    event_id: Event,
    key: Key,
    reason: Reason,
    doors_at: Annotated[str, typer.Option(metavar="TIME", help="New doors, like 2026-12-31T20:00:00+01:00.")],
    moves_close_at: Time = None,
    gifts_close_at: Time = None,
    resale_opens_at: Time = None,
    resale_closes_at: Time = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Move an event; times that are not named keep their distance from the doors. Who bought before may return tickets
    at full price.
    """
    times = {"doors_at": doors_at, "moves_close_at": moves_close_at, "gifts_close_at": gifts_close_at}
    times |= {"resale_opens_at": resale_opens_at, "resale_closes_at": resale_closes_at}
    body = {name: at for name, at in times.items() if at is not None} | {"reason": reason}
    with service(url, key) as api:
        path = f"/v1/events/{event_id}"
        api.post(f"{path}/reschedule", idempotency_key=key_of("reschedule", event_id, json.dumps(body)), json=body)
        moved = _until(api, path, lambda event: _is_at(event, doors_at), "the ledger has the new times")
    show_event(moved, as_json)


@app.command()
def pause(event_id: Event, key: Key, reason: Reason, url: Url = HERE, as_json: AsJson = False) -> None:
    """Stop sales and resales of an event on the ledger."""
    _set("pause", "paused", event_id, key, reason, url, as_json)


@app.command()
def resume(event_id: Event, key: Key, reason: Reason, url: Url = HERE, as_json: AsJson = False) -> None:
    """Let a paused event sell again."""
    _set("resume", "open", event_id, key, reason, url, as_json)


def _set(verb: str, state: str, event_id: str, key: str, reason: str, url: str, as_json: bool) -> None:
    with service(url, key) as api:
        path = f"/v1/events/{event_id}"
        if api.get(path)["state"] != state:
            key = key_of(verb, event_id, reason, str(time.time_ns()))
            api.post(f"{path}/{verb}", idempotency_key=key, json={"reason": reason})
        found = _until(api, path, lambda event: event["state"] == state, f"the ledger says {state}")
    show_event(found, as_json)


def _is_at(event: Any, doors_at: str) -> bool:
    return datetime.fromisoformat(event["schedule"]["doors_at"]) == datetime.fromisoformat(doors_at)


def _until(api: Service, path: str, true: Any, what: str) -> Any:
    with Console(stderr=True).status(f"waiting until {what}"):
        while not true(found := api.get(path)):
            time.sleep(ASK_EVERY_S)
    return found


def _follow(api: Service, path: str) -> Any:
    """Shows how far a cancellation is until all money is back. Raises `Refused` when the ledger will not cancel."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        ledger, money = bars.add_task("refunded on the ledger", total=None), bars.add_task("paid back", total=None)
        while True:
            found = api.get(f"{path}/cancellation")
            if found["problem"]:
                raise Refused({"detail": f"the ledger will not cancel the event: {found['problem']}"})
            asked = sum(row["refunds"] for row in found["paid_back"])
            due = _paid_back(found, "due")["refunds"]
            bars.update(ledger, total=found["tickets"] or None, completed=found["refunded_on_ledger"])
            bars.update(money, total=asked or None, completed=asked - due)
            if found["state"] == "finished" and not due:
                return found
            time.sleep(ASK_EVERY_S)


def _paid_back(found: Any, state: str) -> Any:
    return next((row for row in found["paid_back"] if row["state"] == state), {"refunds": 0, "amount": 0})


def _tickets(api: Service, path: str) -> Iterator[Any]:
    after = ""
    while True:
        page = api.get(f"{path}/cancellation/tickets?limit=200{after}")
        yield from page["items"]
        if page["next"] is None:
            return
        after = f"&after={page['next']}"


def _checked(found: Any, tickets: Iterator[Any], rpc: str, from_block: int) -> list[str]:
    from ticketchain.audit import CouldNotRead, check_cancelled  # here: most of a second, for one option

    try:
        return check_cancelled(rpc, found["ledger"], found["number"], tickets, from_block)
    except CouldNotRead as error:
        typer.echo(f"ticketchain: {error}", err=True)
        raise typer.Exit(COULD_NOT_READ) from error


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{found['event_id']}  cancelled ({found['reason']}): {found['state']}")
    typer.echo(
        f"  ledger   {found['ledger']}, event {found['number']}, cancelled in block {found['cancelled_in_block']}"
    )
    typer.echo(
        f"  tickets  {found['refunded_on_ledger']} of {found['tickets']} refunded, {found['disputed']} in dispute"
    )
    typer.echo(f"  due      {found['due_on_ledger']} on the ledger for these tickets")
    typer.echo(f"  paid     {found['told_to_ledger']} as the ledger knows, with the event's earlier refunds")
    for row in found["to_hand_out"]:
        amount = show(row["amount"], row["currency"])
        typer.echo(f"  desk     {amount} in {row['refunds']} refunds still to be handed out at the box office")
    table = Table("money", f"minor units of {found['currency']}")
    for row in found["paid_back"]:
        table.add_row(f"{row['refunds']} refunds {row['state']}", str(row["amount"]))
    for name, amount in found["money"].items():
        table.add_row(f"event: {name}", str(amount))
    Console().print(table)
