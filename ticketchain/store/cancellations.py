"""Statements on cancelled events: how far the walk over their tickets has come, what was paid back and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, update

from ticketchain.domain.orders import WAITING
from ticketchain.domain.tickets import TicketState
from ticketchain.store import schema as t
from ticketchain.store import schema_chain as ch
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_money import disputes
from ticketchain.store.schema_sales import cancellations, exchanges

_C, _TICKET, _CHANGE = cancellations.c, ch.tickets.c, ch.changes.c
_OWED: ColumnElement[bool] = or_(
    _TICKET.state.in_((TicketState.HELD, TicketState.POOL)),
    and_(_TICKET.state == TicketState.REDEEMED, _TICKET.price > 0),
)
"""The ledger has something to refund: a ticket that was used and is paid for stays, but its money goes back."""


def add(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Notes that an event is to be cancelled, or was; False when that was noted before."""
    return insert_new(tx, cancellations, {"walked": -1, "tickets": 0} | dict(values))


def cancellation(tx: Tx, event_id: str, lock: bool = False) -> Row[Any] | None:
    """The cancellation of an event; `lock` keeps other workers off it until the transaction ends."""
    query = select(cancellations).where(_C.event_id == event_id)
    return tx.execute(query.with_for_update() if lock else query).one_or_none()


def note(tx: Tx, event_id: str, **values: Any) -> None:
    """Notes how far a cancellation has come."""
    tx.execute(update(cancellations).where(_C.event_id == event_id).values(**values))


def unfinished(tx: Tx) -> list[Row[Any]]:
    """Cancellations that are not finished, each with its event's `number`."""
    query = select(cancellations, t.events.c.number).join(t.events, t.events.c.id == _C.event_id)
    return list(tx.execute(query.where(_C.finished_at.is_(None)).order_by(_C.event_id)))


def close_shop(tx: Tx, event_id: str, now: datetime) -> None:
    """Ends an event's open listings, and lets its holds and unpaid orders run out now: `hold.expire_holds` and
    `pay.expire_orders` end them, after a last look at what was paid. So do orders for
    tickets of other events that would be taken in exchange for one of this event.
    """
    holds, orders, listings = t.holds.c, t.orders.c, t.listings.c
    of = update(t.holds).where(holds.event_id == event_id, holds.state == "open", holds.expires_at > now)
    tx.execute(of.values(expires_at=now))
    its = or_(orders.event_id == event_id, orders.exchange_id.in_(_exchanges_from(event_id)))
    of = update(t.orders).where(its, orders.state.in_(WAITING), orders.expires_at > now)
    tx.execute(of.values(expires_at=now))
    tx.execute(update(t.listings).where(listings.event_id == event_id, listings.state == "open").values(state="ended"))


def _exchanges_from(event_id: str) -> Select[Any]:
    """Exchanges by which tickets of an event would be given."""
    query = select(exchanges.c.id).join(t.seats, t.seats.c.ticket == exchanges.c.ticket)
    return query.where(t.seats.c.event_id == event_id, exchanges.c.state == "to_pay")


def tickets_behind(tx: Tx, number: int, after: int, limit: int) -> list[Row[Any]]:
    """Tickets of an event that were ever sold, behind the id `after`: id, `frozen`, and whether something is `owed`."""
    query = select(_TICKET.id, _TICKET.frozen, _OWED.label("owed")).where(_TICKET.event_number == number)
    return list(tx.execute(query.where(_TICKET.id > after).order_by(_TICKET.id).limit(limit)))


def unrefunded(tx: Tx, number: int) -> list[Row[Any]]:
    """Tickets of an event for which the ledger still has something to refund: id, `frozen`."""
    query = select(_TICKET.id, _TICKET.frozen).where(_TICKET.event_number == number, _OWED)
    return list(tx.execute(query.order_by(_TICKET.id)))


def reopen(tx: Tx, keys: Sequence[str]) -> int:
    """Intents with these keys that the ledger refused are tried anew; returns how many."""
    c, new = ch.outbox.c, {"state": "pending", "signer": None, "transaction_id": None, "problem": None, "tries": 0}
    return sum(
        tx.execute(update(ch.outbox).where(c.key == key, c.state == "refused").values(new)).rowcount for key in keys
    )


def newest_refund(tx: Tx, number: int) -> int:
    """The newest block in which a ticket of a cancelled event was refunded; -1: none was."""
    query = select(func.max(_CHANGE.block_number)).where(_CHANGE.event_number == number)
    found = tx.execute(query.where(_CHANGE.kind == "RefundedCancelled")).scalar()
    return -1 if found is None else int(found)


# ------------------------------------------------------------------------------------------------ legs of resales


def legs(tx: Tx, tickets: Sequence[int]) -> list[Row[Any]]:
    """Payouts of resales of these tickets, each with the id of the payment that settled it."""
    query = select(t.payouts, t.payments.c.id.label("payment_id"))
    query = query.join(t.payments, t.payments.c.order_id == t.payouts.c.order_id)
    return list(tx.execute(query.where(among(tx, t.payouts.c.ticket, tickets))))


def take_back(tx: Tx, leg: Row[Any], amount: int, state: str) -> None:
    """Sets how much of a payout is not paid out after all."""
    c = t.payouts.c
    query = update(t.payouts).where(c.order_id == leg.order_id, c.ticket == leg.ticket, c.leg == leg.leg)
    tx.execute(query.values(taken_back=amount, state=state))


# ------------------------------------------------------------------------------------------------ the report


def refunded_tickets(tx: Tx, number: int, after: int, limit: int) -> list[Row[Any]]:
    """What the ledger logged for each refunded ticket of a cancelled event, behind the ticket id `after`."""
    query = select(ch.changes).where(_CHANGE.event_number == number, _CHANGE.kind == "RefundedCancelled")
    return list(tx.execute(query.where(_CHANGE.ticket > after).order_by(_CHANGE.ticket).limit(limit)))


def logged(tx: Tx, number: int) -> tuple[int, int]:
    """How many tickets of a cancelled event the ledger has refunded, and the sum due for them."""
    query = select(_CHANGE["values"]).where(_CHANGE.event_number == number, _CHANGE.kind == "RefundedCancelled")
    amounts = [int(values["amount"]) for values in tx.execute(query).scalars()]
    return len(amounts), sum(amounts)


def refunds_by_state(tx: Tx, event_id: str) -> dict[str, tuple[int, int]]:
    """Refunds of an event's orders because of its cancellation by state: how many, and their sum in its currency."""
    c = t.refunds.c
    query = select(c.state, func.count(), func.sum(c.amount)).select_from(_captures().join(t.refunds))
    query = query.where(_counted(event_id), c.cause.like("cancelled:%")).group_by(c.state)
    return {state: (int(count), int(amount)) for state, count, amount in tx.execute(query)}


def money(tx: Tx, event_id: str) -> dict[str, int]:
    """Sums over all orders of an event in its currency: captured, given back or to be, lost in disputes, due to sellers
    and payees. Money that came in a wrong currency goes back as it came and is in none of them.
    """
    of = _counted(event_id)
    given = t.refunds.c.state.in_(("due", "done", "failed"))
    lost, of_capture = disputes.c.state == "lost", disputes.c.capture_id == t.captures.c.id
    due = t.payouts.c.amount - t.payouts.c.taken_back
    payouts = t.payouts.join(t.orders, t.orders.c.id == t.payouts.c.order_id)
    return {
        "captured": _sum(tx, select(func.sum(t.captures.c.amount)).select_from(_captures()).where(of)),
        "refunded": _sum(
            tx, select(func.sum(t.refunds.c.amount)).select_from(_captures().join(t.refunds)).where(of, given)
        ),
        "disputed": _sum(
            tx, select(func.sum(disputes.c.amount)).select_from(_captures().join(disputes, of_capture)).where(of, lost)
        ),
        "payouts": _sum(tx, select(func.sum(due)).select_from(payouts).where(t.orders.c.event_id == event_id)),
    }


def _captures() -> Any:
    """Captures with their orders."""
    paid = t.captures.join(t.payments, t.payments.c.id == t.captures.c.payment_id)
    return paid.join(t.orders, t.orders.c.id == t.payments.c.order_id)


def _counted(event_id: str) -> ColumnElement[bool]:
    """Captures of an event's orders in its currency."""
    return and_(t.orders.c.event_id == event_id, t.captures.c.currency == t.orders.c.currency)


def _sum(tx: Tx, query: Any) -> int:
    return int(tx.execute(query).scalar() or 0)
