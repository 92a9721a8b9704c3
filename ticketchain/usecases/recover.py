"""After a restore from a backup: what happened since, made right from the chain and from the payment provider.

A payment that the backup knows is told anew. One that it does not know is on the ledger, and then nobody owes anything,
or its money goes back. Before this the read model must be at the chain's head.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ticketchain.domain.errors import Conflict, DomainError, NotFound
from ticketchain.domain.orders import UNPAID, Capture, LineState, OrderState, paying_captures
from ticketchain.domain.ports import PaidCharge
from ticketchain.domain.references import reference_bytes
from ticketchain.domain.trail import Source, Trail, exchanged, last_first
from ticketchain.store import chain, exchanges, market, orders, outbox, signers
from ticketchain.store.engine import Tx
from ticketchain.store.recover import money_changes
from ticketchain.usecases.buy import give_back
from ticketchain.usecases.captures import apply_captures, send
from ticketchain.usecases.disputes import hear_disputes
from ticketchain.usecases.journal import book_captures, note_refunded, owe_refund
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import retell, retell_orders


@dataclass
class Story:
    """What the ledger says of one payment: its tickets, who got them first, what of the money is for them."""

    tickets: list[int] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    resales: list[int] = field(default_factory=list)
    owed: int = 0


@dataclass(frozen=True)
class Accounts:
    """What the chain says of the relayers: transactions in blocks, and those in the node's pool as well."""

    mined: Mapping[str, int]
    pending: Mapping[str, int]


def final_number(parts: Parts, ledger: int) -> int:
    """The newest block of a ledger that counts as final here; -1 for no such ledger."""
    with parts.store.read() as tx:
        row = chain.ledger(tx, ledger)
    return -1 if row is None else int(row.final_number)


def recover(parts: Parts, since: datetime, accounts: Accounts, apply: bool) -> dict[str, Any]:
    """Compares signers and payments since a moment (that of the backup, or earlier) with chain and provider; with
    `apply` makes them right. May be repeated. The report has `signers` and `payments`.

    Raises `Conflict` when relayers' transactions are in the node's pool: they may deliver what would be paid back.
    """
    waiting = [address for address, count in accounts.pending.items() if count > accounts.mined[address]]
    if apply and waiting:
        raise Conflict(f"transactions of {', '.join(waiting)} are in the node's pool; try again when they are mined")
    charges = [(name, charge) for name, each in parts.providers.items() for charge in each.paid_since(since)]
    with parts.store.read(long=True) as tx:
        ahead = {address: _ahead(tx, address, mined) for address, mined in accounts.mined.items()}
        stories = _stories(tx, {reference for _, charge in charges if (reference := _reference(charge))})
    told = [_payment(parts, name, charge, stories.get(_reference(charge)), apply) for name, charge in charges]
    if apply:
        hear_disputes(parts, since)
    lines = [_signer(parts, address, accounts.mined[address], count, apply) for address, count in ahead.items()]
    return {"since": since.isoformat(), "applied": apply, "signers": lines, "payments": told}


# ------------------------------------------------------------------------------------------------ signers


def _ahead(tx: Tx, address: str, mined: int) -> int:
    """How many transactions of a relayer the chain has and this database does not know."""
    row = signers.signer(tx, address)
    ours = max(outbox.next_nonce(tx, address) or 0, (row.nonce or 0) if row is not None else 0)
    return max(0, mined - ours)


def _signer(parts: Parts, address: str, mined: int, unknown: int, apply: bool) -> dict[str, Any]:
    """A relayer goes on after the nonces that the chain has seen of it."""
    if apply and unknown:
        with parts.store.begin() as tx:
            signers.adopt(tx, address)
    return {"address": address, "nonce": mined, "unknown_transactions": unknown}


# ------------------------------------------------------------------------------------------------ payments


def _reference(charge: PaidCharge) -> str:
    """How the ledger would name the payment; empty when the charge is none of this service."""
    try:
        return reference_bytes(charge.payment_id).hex()
    except NotFound:
        return ""


def _stories(tx: Tx, wanted: set[str]) -> dict[str, Story]:
    """What the ledger logged about these payments."""
    found: dict[str, Story] = {}
    trails: dict[int, Trail] = {}
    for row in money_changes(tx):
        for reference, amount in _owed(trails, row):
            if reference in wanted:
                found.setdefault(reference, Story()).owed += amount
        if "to" in row.values and row.values["reference"] in wanted:
            _add(found[row.values["reference"]], row)
    return found


def _owed(trails: dict[int, Trail], row: Any) -> Iterator[tuple[str, int]]:
    """What is for something on the ledger by this change, by payment; below zero: what is to go back, as
    `usecases.finality` has it.
    """
    values, ticket = row.values, row.ticket
    if row.kind in ("Delivered", "Settled"):
        trails[ticket] = (Source(values["reference"], ticket, values["price"]),)
        yield values["reference"], values["price"]
    elif row.kind == "Exchanged":
        if "to" in values:
            given, difference = trails.pop(int(values["other"]), ()), values["difference"]
            trails[ticket] = exchanged(given, ticket, values["reference"], difference)
            yield values["reference"], max(difference, 0)
            yield from ((source.reference, -part) for source, part in last_first(given, -difference))
    else:
        trail = trails.pop(ticket, ())
        everything = row.kind == "RefundedCancelled"
        if everything or values["reference"] in {source.reference for source in trail}:
            amount = sum(source.amount for source in trail) if everything else values["amount"]
            yield from ((source.reference, -part) for source, part in last_first(trail, amount))


def _add(story: Story, row: Any) -> None:
    story.tickets.append(row.ticket)
    story.holders.append(row.values["to"])
    if row.kind == "Settled":
        story.resales.append(row.ticket)


def _payment(parts: Parts, provider: str, charge: PaidCharge, story: Story | None, apply: bool) -> dict[str, Any]:
    told = {"payment": charge.payment_id, "charge": charge.ref, "taken": sum(t.capture.amount for t in charge.taken)}
    told["tickets"] = [str(ticket) for ticket in story.tickets] if story else []
    with parts.store.read() as tx:
        known = orders.payment(tx, charge.payment_id)
    if known is not None:
        if apply:
            parts.store.retry(lambda tx: _tell_anew(parts, tx, known, charge, story))
        return told | {"what": "known"}
    if not _reference(charge):
        return told | {"what": "not ours"}
    back = sum(t.capture.amount - t.refunded for t in charge.taken) - max(0, story.owed if story else 0)
    told |= {"what": "delivered" if story else "forgotten", "holders": story.holders if story else []}
    told |= {"give_back": max(0, back), "sellers_unpaid": [str(ticket) for ticket in story.resales] if story else []}
    return told | ({"problem": _give_back(parts, provider, charge, back)} if apply and back > 0 else {})


def _give_back(parts: Parts, provider: str, charge: PaidCharge, amount: int) -> str | None:
    """Returns money straight at the provider, last capture first: there is no order here that it could belong to.

    The key names what was returned before, so that a repetition after a crash returns nothing twice.
    """
    for taken in reversed(charge.taken):
        part = min(amount, taken.capture.amount - taken.refunded)
        if part <= 0:
            continue
        try:
            key = f"{taken.capture.id}:recover:{taken.refunded}"
            parts.providers[provider].refund(key, taken.capture.id, part)
        except DomainError as problem:
            return f"{problem}; a person must look"
        parts.log.warning("money of a forgotten payment given back", payment=charge.payment_id, amount=part)
        amount -= part
    return None


def _tell_anew(parts: Parts, tx: Tx, payment: Any, charge: PaidCharge, story: Story | None) -> None:
    """An order that the backup has follows the money taken since; what the ledger has delivered for it is not sent
    again, and its money is not given back. Money that was given back since pays for nothing.
    """
    returned = {taken.capture.id for taken in charge.taken if taken.refunded >= taken.capture.amount}
    captures = sorted((taken.capture for taken in charge.taken), key=lambda capture: capture.id in returned)
    tickets = [line.ticket for line in orders.lines(tx, payment.order_id)]
    if story is not None and story.tickets and _acknowledge(parts, tx, payment, captures):
        retell(parts, tx, tickets)
        send(parts, tx, [payment.order_id])
    _note_returned(parts, tx, payment, [capture for capture in captures if capture.id in returned])
    apply_captures(parts, tx, [(payment, captures)])
    _end_what_was_given_back(parts, tx, payment, charge, story)
    retell(parts, tx, tickets)


def _end_what_was_given_back(parts: Parts, tx: Tx, payment: Any, charge: PaidCharge, story: Story | None) -> None:
    """Money of the accepted capture went back for a reason that only the lost database knew: nothing more is delivered
    for it, and what is neither back nor for something on the ledger goes back, too.
    """
    ids = {row.id for row in orders.captures_of(tx, [payment.id]) if row.accepted}
    accepted = [taken for taken in charge.taken if taken.capture.id in ids]
    unexplained = {taken.capture.id: taken.refunded - orders.refunded(tx, taken.capture.id) for taken in accepted}
    for capture_id, amount in unexplained.items():
        if amount > 0:
            _note_back(parts, tx, capture_id, "before_restore", amount)
    if any(amount > 0 for amount in unexplained.values()):
        _end_lines(tx, payment.order_id)
        left = sum(taken.capture.amount - taken.refunded for taken in accepted)
        give_back(parts, tx, payment.id, "after_restore", left - max(0, story.owed if story else 0))


def _end_lines(tx: Tx, order_id: str) -> None:
    """What is not delivered of an order never will be."""
    detail = "its money was given back before the database was restored"
    waiting = [line.ticket for line in orders.lines(tx, order_id) if line.state == LineState.PENDING]
    orders.set_lines(tx, [orders.line_row(order_id, ticket, LineState.REFUSED, None, detail) for ticket in waiting])
    keys = [f"{kind}:{order_id}:{ticket}" for kind in ("deliver", "settle", "exchange") for ticket in waiting]
    outbox.refuse(tx, keys, {"reason": "Restored", "detail": detail})
    retell_orders(tx, [order_id])


def _acknowledge(parts: Parts, tx: Tx, payment: Any, captures: Sequence[Capture]) -> bool:
    """The ledger knows the payment: the order is paid, whatever became of it here. False when that was known."""
    (row,) = orders.lock(tx, [payment.order_id])
    paying = paying_captures(captures, payment.amount, payment.currency)
    if row.state not in UNPAID or not paying:
        return False
    _note_taken(parts, tx, payment, paying)
    orders.accept_captures(tx, [capture.id for capture in paying])
    orders.to_state(tx, [row], OrderState.PAID)
    if row.listing_id:
        market.set_listing(tx, row.listing_id, ("open", "reserved"), "selling")
    if row.exchange_id:
        exchanges.set_state(tx, row.exchange_id, ("to_pay", "expired"), "sending")
    return True


def _note_returned(parts: Parts, tx: Tx, payment: Any, captures: Sequence[Capture]) -> None:
    """The provider has given all of these back, and no order here has taken them: why, only the lost database knew."""
    _note_taken(parts, tx, payment, captures)
    ids = {capture.id for capture in captures if capture.amount}
    for row in orders.captures_of(tx, [payment.id]):
        if row.id in ids and not row.accepted and not orders.refunded(tx, row.id):
            _note_back(parts, tx, row.id, "not_owed", row.amount)


def _note_back(parts: Parts, tx: Tx, capture_id: str, cause: str, amount: int) -> None:
    """The provider has given this back already."""
    refund = owe_refund(parts, tx, capture_id, cause, amount)
    if refund is not None:
        note_refunded(parts, tx, refund, None)


def _note_taken(parts: Parts, tx: Tx, payment: Any, captures: Sequence[Capture]) -> None:
    shared = {"payment_id": payment.id, "accepted": False, "seen_at": parts.clock()}
    orders.add_captures(tx, [shared | {"id": c.id, "amount": c.amount, "currency": c.currency} for c in captures])
    book_captures(parts, tx, [payment.id])
