"""`ticketchain reconcile`: do provider, service, ledger and journal agree about a day?

Exit status 0: they agree, 1: there are differences, 2: something could not be read.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ticketchain.cli.local import Data, Rpc, settings_of, tell, with_ledger
from ticketchain.context import PROBLEMS, open_store
from ticketchain.domain.differences import Difference
from ticketchain.domain.money import show
from ticketchain.settings import Settings
from ticketchain.usecases.reconcile import Report, reconcile_period
from ticketchain.usecases.settlement import period_of

AGREES, DIFFERENCES, COULD_NOT_READ = 0, 1, 2
_DAY = ["%Y-%m-%d"]


def reconcile(
    day: Annotated[
        datetime, typer.Option(help="The day, e.g. 2026-03-01; from its first moment to its last.", formats=_DAY)
    ],
    last: Annotated[datetime | None, typer.Option(help="The last day, if there are several.", formats=_DAY)] = None,
    provider: Annotated[str | None, typer.Option(help="One payment provider; without it, all.")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the days, e.g. Europe/Berlin.")] = "UTC",
    data: Data = None,
    rpc: Rpc = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Match payment providers' statements, what is noted here and what the ledger has, by reference and amount; name
    every difference and the next step. It changes nothing, and the service may run meanwhile.

    Status 0: all agree, 1: there are differences, 2: something could not be read.
    """
    try:
        report = _report(settings_of(data=data, rpc_url=rpc), day, last, provider, zone)
    except PROBLEMS as error:
        tell(f"ticketchain: {' '.join(str(error).split())}")
        raise typer.Exit(COULD_NOT_READ) from error
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        _show(report, Console())
    raise typer.Exit(AGREES if report.agrees else DIFFERENCES)


def _report(settings: Settings, day: datetime, last: datetime | None, provider: str | None, zone: str) -> Report:
    since, until = period_of(day.date(), last.date() if last else None, zone)
    with open_store(with_ledger(settings), with_providers=True) as parts:
        return reconcile_period(parts, since, until, provider)


def _show(report: Report, console: Console) -> None:
    console.print(_sums(report))
    console.print(f"{report.payments} payments and {report.tickets} deliveries on the ledger were looked at.")
    for number, found in enumerate(report.differences, 1):
        console.print(f"{number}. [bold]{found.what}[/bold] {_place(found)}", highlight=False)
        console.print(f"   {found.text} ({_amounts(found)})", highlight=False, markup=False)
        console.print(f"   {found.as_json()['next']}", style="dim", highlight=False, markup=False)
    if report.timing:
        console.print(f"{len(report.timing)} agree, but were noted on another day than the provider's.", style="dim")
    count = len(report.differences)
    verdict = f"{count} difference{'s' if count > 1 else ''}." if count else "Everything agrees."
    console.print(verdict, style="bold green" if report.agrees else "bold red")


def _sums(report: Report) -> Table:
    table = Table(
        title=f"Statements from {report.period.since:%Y-%m-%d %H:%M %Z} to {report.period.until:%Y-%m-%d %H:%M %Z}"
    )
    for heading in ("provider", "currency", "taken", "given back", "disputed", "fees"):
        table.add_column(heading, justify="left" if heading in ("provider", "currency") else "right")
    for name, sums in report.providers.items():
        for currency in sorted({currency for amounts in sums.values() for currency in amounts}):
            parts = (sums.get(kind, {}).get(currency, 0) for kind in ("capture", "refund", "dispute", "fee"))
            table.add_row(name, currency, *(show(amount, currency) for amount in parts))
    return table


def _place(found: Difference) -> str:
    places: dict[str, Any] = {"order": found.order_id, "payment": found.payment_id, "ticket": found.ticket}
    told = [f"{name} {value}" for name, value in places.items() if value]
    return ", ".join([found.reference, *told, *([f"at {found.provider}"] if found.provider else [])])


def _amounts(found: Difference) -> str:
    return ", ".join(f"{side} {show(amount, found.currency)}" for side, amount in found.amounts.items()) or "no amount"
