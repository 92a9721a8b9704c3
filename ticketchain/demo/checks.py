"""What must be true in the end, one named check each: people against books, books against chain. Pure functions.

`books` is the answer of GET /v1/events/{id}/books, `audit` the JSON of `ticketchain audit`; amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ticketchain.demo.stage import Plan, Tally

WHOLE = 10_000
TOLD = ("delivered", "partly_refunded", "refunded")
"""States of orders that were paid and carried out (tickets may have been returned since)."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One expectation, and what was found."""

    what: str
    expected: object
    found: object

    @property
    def good(self) -> bool:
        """Whether it came true."""
        return self.expected == self.found


def chain_and_books(books: Json, audit: Json, before: Json | None = None) -> list[Check]:
    """The auditor's numbers against the service's; `before` is an audit from before the demo, to leave others' out."""
    return [
        Check("findings of the auditor", 0, len(audit["findings"])),
        *_places(books, audit),
        *_counts(books, _change(audit["counts"], before["counts"] if before else {})),
        *_money(books, _change(_rail(audit, books), _rail(before, books) if before else {})),
        *_royalties(books, audit),
    ]


def people_and_books(books: Json, plan: Plan, tally: Tally) -> list[Check]:
    """What the people did against the service's books."""
    captures, refunds = books["captures"], books["refunds"]
    return [
        Check("orders carried out", plan.paid, total(books["orders"], "orders", kind="first_sale", state=TOLD)),
        Check("orders never paid", plan.never_paid + plan.wrongly_paid, total(books["orders"], "orders", state=UNPAID)),
        Check("resales carried out", plan.resales, total(books["orders"], "orders", kind="resale", state=TOLD)),
        Check("charges taken", tally.captures, total(captures, "captures")),
        Check("money taken", tally.captured, total(captures, "amount")),
        Check("double and wrong payments given back", tally.not_owed, total(refunds, "amount", cause=("not_owed",))),
        Check("money given back for returns", tally.returned, total(refunds, "amount", cause=("returned",))),
        Check("money given back for other reasons", 0, total(refunds, "amount", cause=("refused",))),
        Check("money still to be given back", 0, total(refunds, "amount", state=("due",))),
        Check("first sales", tally.first_sales, total(books["sales"], "amount", kind="first_sale")),
        Check("resales", tally.resold, total(books["sales"], "amount", kind="resale")),
        Check("royalties", tally.royalties, books["royalties"]["collected"]),
        Check("gifts", plan.gifts, total(books["moves"], "moves", kind="gift", state=("done",))),
        Check("returns", plan.returns, total(books["moves"], "moves", kind="return", state=("done",))),
        Check("listings sold", plan.resales, total(books["listings"], "listings", state=("sold",))),
        Check("tickets used", plan.admissions, books["tickets"]["redeemed"]),
        Check("tickets held", tally.sold - plan.returns - plan.admissions, books["tickets"]["held"]),
        Check("entries", plan.admissions, books["admissions"]["admitted"]),
    ]


UNPAID = ("created", "awaiting_payment", "expired")


def total(rows: Iterable[Json], field: str, **wanted: Any) -> int:
    """Sum of a field over the rows whose other fields have the wanted values (a text, or one of several)."""

    def fits(row: Json) -> bool:
        return all(row[name] in ((want,) if isinstance(want, str) else want) for name, want in wanted.items())

    return sum(int(row[field]) for row in rows if fits(row))


def parts_of(pot: int, shares: list[int]) -> list[int]:
    """Parts of a pot by shares in basis points, rounded down; the last takes the remainder."""
    parts = [pot * share // WHOLE for share in shares[:-1]]
    return [*parts, pot - sum(parts)]


def _places(books: Json, audit: Json) -> list[Check]:
    found = _event(books, audit)
    names = {"issued": "issued", "stock": "in_stock", "held": "held", "redeemed": "redeemed", "void": "void"}
    return [Check(f"tickets {ours} on chain", books["tickets"][ours], found.get(name)) for ours, name in names.items()]


def _counts(books: Json, chain: Mapping[str, int]) -> list[Check]:
    sales, moves = books["sales"], books["moves"]
    pairs = {
        "deliveries": total(sales, "tickets", kind="first_sale"),
        "resales": total(sales, "tickets", kind="resale"),
        "gifts": total(moves, "moves", kind="gift", state="done"),
        "refunds": total(moves, "moves", kind="return", state="done"),
        "redemptions": books["admissions"]["admitted"],
        "skipped": books["admissions"]["refused_by_ledger"],
        "voids": 0,
    }
    return [Check(f"{name} on chain", expected, chain.get(name)) for name, expected in pairs.items()]


def _money(books: Json, chain: Mapping[str, int]) -> list[Check]:
    sales = books["sales"]
    kept = total(books["captures"], "amount") - total(books["refunds"], "amount")
    on_chain = chain.get("primary", 0) + chain.get("resale", 0) - chain.get("refunded", 0)
    pairs = {
        "primary": total(sales, "amount", kind="first_sale"),
        "resale": total(sales, "amount", kind="resale"),
        "refunded": total(books["moves"], "amount", kind="return", state="done"),
        "royalties": books["royalties"]["collected"],
        "sellers": total(books["payouts"], "amount", leg="seller"),
        "released": sum(payee["released"] for payee in books["royalties"]["payees"]),
    }
    checks = [Check(f"money on chain: {name}", expected, chain.get(name)) for name, expected in pairs.items()]
    return [*checks, Check("captured - given back = first sales + resales - returns", kept, on_chain)]


def _royalties(books: Json, audit: Json) -> list[Check]:
    royalties = books["royalties"]
    event = _event(books, audit)
    released = sum(payee["released"] for payee in royalties["payees"])
    parts = parts_of(released, [payee["bps"] for payee in royalties["payees"]])
    return [
        Check("royalties owed by the books", royalties["collected"], total(books["payouts"], "amount", leg="royalty")),
        Check("shares of the payees in all", WHOLE, sum(payee["bps"] for payee in royalties["payees"])),
        Check("royalties left in the pot on chain", royalties["collected"] - released, int(event.get("pot", -1))),
        *(
            Check(f"part of {payee['name']}", part, payee["released"])
            for payee, part in zip(royalties["payees"], parts, strict=True)
        ),
    ]


def _event(books: Json, audit: Json) -> Json:
    """The auditor's summary of the event; empty if it found no such event."""
    return next((event for event in audit["events"] if int(event["id"]) == books["number"]), {})


def _rail(audit: Json, books: Json) -> Json:
    """The auditor's totals of the event's currency, paid in money rather than tokens."""
    fits = (m for m in audit["money"] if m["currency"] == books["currency"] and not m["token"])
    return {name: value for name, value in next(fits, {}).items() if name not in ("currency", "token")}


def _change(after: Json, before: Json) -> dict[str, int]:
    return {name: int(value) - int(before.get(name, 0)) for name, value in after.items()}
