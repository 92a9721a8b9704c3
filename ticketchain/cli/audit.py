"""`ticketchain audit`: the auditor on a terminal.

Exit status 0: chain and claims agree, 1: violations found, 2: could not read.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ticketchain.audit import CouldNotRead, Report, audit_ledger, report_json
from ticketchain.audit.report import Counts
from ticketchain.cli.audit_log import audit_log

LEDGER_AGREES, VIOLATIONS, COULD_NOT_READ = 0, 1, 2
MOST_FINDINGS = 50
"""Findings shown in the table; `--json` has all."""


def audit(
    rpc: Annotated[str, typer.Option(help="RPC URL of any node of the chain.")] = "",
    ledger: Annotated[str, typer.Option(help="Address of the TicketLedger.")] = "",
    from_block: Annotated[int, typer.Option(min=0, help="First block to read: at most the deployment's.")] = 0,
    to_block: Annotated[str, typer.Option(help='Last block to read: a height, "head" or "final".')] = "head",
    check_state: Annotated[bool, typer.Option(help="Compare with the contract's own views.")] = True,
    state_limit: Annotated[int, typer.Option(min=0, help="How many tickets to compare at most.")] = 5_000,
    signatures: Annotated[bool, typer.Option(help="Check consents and attestations in the calldata.")] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            help="Check this export of an access log instead; with --rpc and --ledger also against the chain."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Recompute every claim of a ledger from the chain alone; needs no database and nothing of the service."""
    if log is not None:
        raise typer.Exit(audit_log(log, rpc, ledger, from_block, as_json))
    if not rpc or not ledger:
        raise typer.BadParameter("say --rpc URL and --ledger ADDRESS, or --log FILE")
    try:
        with _progress(hidden=as_json) as progress:
            report = audit_ledger(
                rpc,
                ledger,
                from_block=from_block,
                to_block=to_block,
                check_state=check_state,
                state_limit=state_limit,
                signatures=signatures,
                progress=progress,
            )
    except CouldNotRead as error:
        typer.echo(f"audit: {error}", err=True)
        raise typer.Exit(COULD_NOT_READ) from error
    if as_json:
        typer.echo(json.dumps(report_json(report)))
    else:
        print_report(report, Console())
    raise typer.Exit(LEDGER_AGREES if report.agrees else VIOLATIONS)


def print_report(report: Report, console: Console) -> None:
    """Print a report as tables and sentences for a person."""
    console.print(
        f"Ledger {report.ledger} on chain {report.chain_id}, blocks {report.from_block} to {report.to_block}: "
        f"{report.logs} logs read."
    )
    console.print(_tickets_table(report))
    if report.money:
        console.print(_money_table(report))
    if report.findings:
        console.print(_findings_table(report))
    for note in report.notes:
        console.print(f"Note: {note}", style="dim")
    console.print(_verdict(report), style="bold green" if report.agrees else "bold red")


def _verdict(report: Report) -> str:
    if report.agrees:
        checked = f", and {report.signatures} signatures are good" if report.signatures else ""
        return f"Every claim agrees: {report.compared} tickets compared with the contract{checked}."
    hidden = len(report.findings) - MOST_FINDINGS
    more = f" ({hidden} more than shown: use --json)" if hidden > 0 else ""
    return f"{len(report.findings)} claims do NOT hold{more}."


SUPPLY_CLASSES = {0: "public", 1: "held", 2: "sponsor", 3: "complimentary"}
"""Names of the ledger's supply classes."""

BY_CLASS = "issued/promised"


def _tickets_table(report: Report) -> Table:
    table = Table(title="Tickets", title_justify="left")
    for heading in ("event", "issued", BY_CLASS, "public", "in stock", "pool", "held", "redeemed", "void", "pot"):
        table.add_column(heading, justify="left" if heading == BY_CLASS else "right")
    for event in report.events:
        supply, promised = event.supply_by_class, event.promised_by_class.items()
        classes = ", ".join(f"{SUPPLY_CLASSES[n]} {supply.get(n, 0)}/{most}" for n, most in promised if most)
        name = str(event.id) if event.status == "live" else f"{event.id} ({event.status})"
        share = f"{event.public_bps / 100:.2f} %"
        numbers = (event.in_stock, event.pooled, event.held, event.redeemed, event.void)
        unit = "units" if event.token else event.currency
        table.add_row(name, str(event.issued), classes, share, *map(str, numbers), f"{event.pot} {unit}")
    table.caption = _happenings(report.counts)
    return table


def _happenings(counts: Counts) -> str:
    """What happened how often; the rarer things only if they did."""
    common = {
        "sold from stock": counts.deliveries + counts.purchases,
        "given": counts.gifts,
        "resold": counts.resales,
        "used": counts.redemptions,
        "refunded": counts.refunds,
        "voided": counts.voids,
        "lines refused": counts.skipped,
    }
    rare = {
        "exchanged": counts.exchanges,
        "swaps": counts.swaps,
        "withdrawn": counts.withdrawals,
        "deposited": counts.deposits,
        "returned to the pool": counts.pool_returns,
        "activated": counts.activations,
        "frozen": counts.freezes,
        "reissued": counts.reissues,
        "refunded by cancellation": counts.cancelled_refunds,
    }
    told = common | {what: count for what, count in rare.items() if count}
    return ", ".join(f"{count} {what}" for what, count in told.items())


def _money_table(report: Report) -> Table:
    table = Table(title="Money, in minor units (token rail: released and escrow in token units)", title_justify="left")
    headings = ("currency", "token", "sold", "resold", "royalties", "to sellers", "released", "refunded")
    for heading in (*headings, "due / paid back", "escrow"):
        table.add_column(heading, justify="right", overflow="fold")
    for money in report.money:
        sold = money.primary + money.exchanged
        amounts = sold, money.resale, money.royalties, money.sellers, money.released, money.refunded
        back = "–" if money.token else f"{money.refunds_due} / {money.refunds_paid}"
        table.add_row(money.currency, money.token or "–", *map(str, amounts), back, str(money.escrow))
    return table


def _findings_table(report: Report) -> Table:
    table = Table(title="What does not hold", title_justify="left")
    for heading in ("rule", "event", "ticket", "block", "what"):
        table.add_column(heading, overflow="fold")
    for finding in report.findings[:MOST_FINDINGS]:
        place = (finding.event_id, finding.ticket_id, finding.block)
        table.add_row(finding.rule, *("" if part is None else str(part) for part in place), finding.message)
    return table


class _Bars:
    """One progress bar for each stage of an audit, made when the stage begins."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that so much of a stage is done."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)


@contextmanager
def _progress(*, hidden: bool) -> Iterator[_Bars]:
    """Progress bars on standard error if it is a terminal; they vanish when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as progress:
        yield _Bars(progress)
