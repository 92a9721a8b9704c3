"""The end of the demo: a short table for people, or JSON; and every check that failed, by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from ticketchain.demo.checks import Check, total
from ticketchain.demo.hall import euros

AGREE, DISAGREE = "chain and books agree", "chain and books do NOT agree"


def failed(checks: Sequence[Check]) -> list[Check]:
    """The checks that did not come true."""
    return [check for check in checks if not check.good]


def show(console: Console, books: dict[str, Any], checks: Sequence[Check], seconds: int) -> None:
    """Prints the table, the failed checks, and the verdict."""
    table = Table(show_header=False, title="What happened, by the books and by the chain", title_justify="left")
    for name, value in lines(books).items():
        table.add_row(name, value)
    console.print(table)
    wrong = failed(checks)
    for check in wrong:
        console.print(f"wrong: {check.what}: expected {check.expected}, found {check.found}", style="red", markup=False)
    verdict = f"{len(checks) - len(wrong)} of {len(checks)} checks hold; {DISAGREE if wrong else AGREE} ({seconds} s)"
    console.print(verdict, style="bold red" if wrong else "bold green")


def lines(books: dict[str, Any]) -> dict[str, str]:
    """The rows of the table."""
    tickets, captured = books["tickets"], total(books["captures"], "amount")
    back = {cause: total(books["refunds"], "amount", cause=cause) for cause in ("not_owed", "returned")}
    sales = {kind: total(books["sales"], "amount", kind=kind) for kind in ("first_sale", "resale")}
    moves = {kind: total(books["moves"], "moves", kind=kind, state="done") for kind in ("gift", "return")}
    resold = total(books["sales"], "tickets", kind="resale")
    parts = (f"{p['name']} {euros(p['released'])}" for p in books["royalties"]["payees"])
    return {
        "tickets": f"{tickets['issued']:,} issued: {tickets['stock']:,} in stock, {tickets['held']} held, "
        f"{tickets['redeemed']} used, {tickets['void']} void",
        "moves": f"{moves['gift']} given, {resold} resold, {moves['return']} returned",
        "money": f"{euros(captured)} taken: {euros(sales['first_sale'])} first sales, "
        f"{euros(sales['resale'])} resales, {euros(back['not_owed'])} paid twice or wrong and given back; "
        f"{euros(back['returned'])} back for returns",
        "splits": f"{euros(books['royalties']['collected'])} royalties: {', '.join(parts)}",
        "entries": f"{books['admissions']['admitted']} admitted, each once",
    }


def as_json(
    books: dict[str, Any], audit: dict[str, Any], checks: Sequence[Check], chapters: dict[str, float], seconds: int
) -> str:
    """The result for programs."""
    wrong = failed(checks)
    told = [{"what": c.what, "expected": c.expected, "found": c.found, "good": c.good} for c in checks]
    result = {
        "agrees": not wrong,
        "seconds": seconds,
        "chapters": chapters,
        "checks": told,
        "books": books,
        "audit": audit,
    }
    return json.dumps(result, default=str)
