"""How things look to people: JSON-ready dictionaries, the same in an answer and in a remembered answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ticketchain.domain.ledgers import event_on_chain, ledger_of_ticket
from ticketchain.domain.orders import OrderState
from ticketchain.domain.policy import EventStatus
from ticketchain.domain.prices import Fee, Tax
from ticketchain.domain.sale import SaleWindow
from ticketchain.domain.tickets import NOBODY, TicketState, number_of
from ticketchain.store import chain, events, market, orders, outbox, stock, stops
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts


def page(items: list[dict[str, Any]], limit: int, key: str = "id") -> dict[str, Any]:
    """A page of a list: `next` is the cursor of the page behind it, null at the end."""
    return {"items": items, "next": items[-1][key] if len(items) == limit else None}


def moment(seconds: int) -> str:
    """Unix seconds as RFC 3339 text in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def event(parts: Parts, tx: Tx, row: Any) -> dict[str, Any]:
    """An event with its rules and price classes."""
    times = {name: moment(value) for name, value in row.schedule.items()}
    closed = row.schedule["moves_close_at"] <= parts.clock().timestamp()
    return {
        "id": row.id,
        "organizer_id": row.organizer_id,
        "title": row.title,
        "venue": row.venue,
        "time_zone": row.time_zone,
        "currency": row.currency,
        "state": _event_state(row),
        "problem": outbox.problem_of(tx, f"create_event:{row.id}") if row.number is None else None,
        "sales_stopped": stops.reason(tx, row.id),
        "number": None if row.number is None else event_on_chain(row.number),
        "ledger": None if row.number is None else parts.ledger.address_of(row.number),
        "moves_closed": closed,
        "schedule": times,
        "terms": _terms(row.terms),
        "price_classes": [_price_class(c, row) for c in events.price_classes(tx, row.id)],
        "fees": row.fees,
        "tax": row.tax,
        "sale": sale(row),
        "payees": [{"name": p.name, "address": p.address, "bps": p.bps} for p in events.payees(tx, row.id)],
    }


def _price_class(row: Any, of_event: Any) -> dict[str, Any]:
    fees = [Fee(**fee) for fee in of_event.fees]
    return {
        "code": row.code,
        "name": row.name,
        "face": row.face,
        "fees": [{"name": fee.name, "amount": fee.of(row.face)} for fee in fees],
        "all_in": row.all_in,
        "tax": Tax(**of_event.tax).within(row.all_in) if of_event.tax else 0,
    }


def sale(row: Any) -> dict[str, Any]:
    """When an event is on sale, and how many tickets one order may have."""
    window = SaleWindow.of(row.sale_opens_at, row.sale_closes_at, row.schedule["doors_at"])
    opens = window.opens_at.isoformat() if window.opens_at else None
    return {"opens_at": opens, "closes_at": window.closes_at.isoformat(), "order_limit": row.order_limit}


def _event_state(row: Any) -> str:
    if row.number is None:
        return "opening"
    return "open" if row.status == EventStatus.LIVE else str(row.status)


def _terms(terms: dict[str, Any]) -> dict[str, Any]:
    earliest = terms["earliest_release"]
    shown = {"earliest_release": moment(earliest) if earliest else None, "gift_root": terms["gift_root"] or None}
    return terms | shown


def batch(tx: Tx, row: Any) -> dict[str, Any]:
    """A batch of an event; `problem` says why the ledger would not have it."""
    fields = ("number", "issue_id", "section", "price_class", "supply_class", "supply", "face", "cid", "issued")
    problem = None if row.issued else outbox.problem_of(tx, f"issue:{row.event_id}:{row.number}")
    return {name: getattr(row, name) for name in fields} | {"problem": problem}


def seat(row: Any) -> dict[str, Any]:
    """A seat in stock."""
    fields = ("section", "row", "seat", "kind", "price_class", "supply_class", "face", "state")
    return {"ticket": str(row.ticket)} | {name: getattr(row, name) for name in fields}


def order(tx: Tx, order_id: str) -> dict[str, Any]:
    """An order with its lines, payment and refunds. The payment's url is null until the provider answered."""
    (view,) = order_list(tx, [order_id])
    return view


def order_list(tx: Tx, order_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Orders by id, as `order` shows each."""
    rows = orders.shown(tx, order_ids)
    lines: dict[str, list[Any]] = defaultdict(list)
    for line in orders.lines_of_orders(tx, order_ids):
        lines[line.order_id].append(line)
    payable = [row.payment_id for row in rows if row.provider_ref or row.state != OrderState.CREATED]
    captures = orders.captures_of(tx, payable) if payable else []
    refunds = orders.refunds_of_payments(tx, payable) if payable else []
    return [_order(row, lines[row.id], captures, refunds) for row in rows]


def new_order(
    order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], payment: Mapping[str, Any], tax: Any
) -> dict[str, Any]:
    """An order that waits for its payment, as it was stored a moment ago; `tax`: its event's."""
    asked = {"payment_id": payment["id"], "provider": payment["provider"], "method": payment["method"], "url": None}
    row = SimpleNamespace(**order, **asked, tax=tax)
    return _order(row, [SimpleNamespace(**line, _mapping=line) for line in lines], [], [])


def _order(row: Any, lines: Sequence[Any], captures: Sequence[Any], refunds: Sequence[Any]) -> dict[str, Any]:
    """`captures` and `refunds`: of this and of other orders."""
    got = [c for c in captures if c.payment_id == row.payment_id and c.currency == row.currency]
    back = [refund for refund in refunds if refund.payment_id == row.payment_id]
    return {
        "id": row.id,
        "event_id": row.event_id,
        "kind": _order_kind(row),
        "state": row.state,
        "channel": row.channel,
        "promotion_id": row.promotion_id,
        "voucher": row.voucher,
        "total": row.total,
        "items": _totals(lines),
        "tax": row.tax and row.tax | {"amount": sum(line.tax for line in lines)},
        "currency": row.currency,
        "expires_at": row.expires_at.isoformat(),
        "lines": [_line(line) for line in lines],
        "payment": {"id": row.payment_id} | {name: getattr(row, name) for name in ("provider", "method", "url")},
        "captured": sum(capture.amount for capture in got),
        "refunds": [{name: getattr(r, name) for name in ("cause", "amount", "currency", "state")} for r in back],
    }


def _order_kind(row: Any) -> str:
    if row.exchange_id:
        return "exchange"
    return "resale" if row.listing_id else "first_sale"


def _line(line: Any) -> dict[str, Any]:
    shown = {"ticket": str(line.ticket), "price": line.price, "items": line._mapping["items"], "tax": line.tax}
    return shown | {"state": line.state, "problem": line.problem}


def _totals(lines: Sequence[Any]) -> list[dict[str, Any]]:
    """The items of all lines, summed by name."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for item in (item for line in lines for item in line._mapping["items"]):
        sums[item["kind"], item["name"]] += item["amount"]
    return [{"kind": kind, "name": name, "amount": amount} for (kind, name), amount in sums.items()]


def ticket(tx: Tx, row: Any) -> dict[str, Any]:
    """A ticket as the ledger last said, with its seat."""
    place = stock.seat(tx, row.id)
    listing = market.live_listing(tx, row.id)
    return {
        "id": str(row.id),
        "event_id": place.event_id if place else None,
        "number": number_of(row.id),
        "state": row.state,
        "holder": None if row.holder == NOBODY else row.holder,
        "custodied": row.custodied,
        "activated": row.activated,
        "frozen": row.frozen,
        "in_doubt": row.in_doubt,
        "epoch": row.epoch,
        "price": row.price,
        "since": moment(row.since) if row.since else None,
        "seat": seat(place) if place else None,
        "listing_id": listing.id if listing else None,
    }


def unsold_ticket(place: Any) -> dict[str, Any]:
    """A ticket that was issued and never sold."""
    return {
        "id": str(place.ticket),
        "event_id": place.event_id,
        "number": number_of(place.ticket),
        "state": str(TicketState.STOCK),
        "holder": None,
        "custodied": False,
        "activated": False,
        "frozen": False,
        "in_doubt": False,
        "epoch": 0,
        "price": 0,
        "since": None,
        "seat": seat(place),
        "listing_id": None,
    }


def listing(tx: Tx, row: Any) -> dict[str, Any]:
    """A listing with its seat."""
    place = stock.seat(tx, row.ticket)
    return {
        "id": row.id,
        "event_id": row.event_id,
        "ticket": str(row.ticket),
        "price": row.price,
        "state": row.state,
        "expires_at": moment(row.deadline),
        "seat": seat(place) if place else None,
    }


def move(row: Any) -> dict[str, Any]:
    """A gift, return, withdrawal or deposit."""
    return {
        "id": row.id,
        "kind": row.kind,
        "ticket": str(row.ticket),
        "to": row.to_fan_id,
        "to_address": row.to_address,
        "amount": row.amount,
        "reason": row.reason,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "state": row.state,
        "problem": row.problem,
    }


def exchange(row: Any) -> dict[str, Any]:
    """A ticket on its way for another one, with the order of the difference."""
    return {
        "id": row.id,
        "ticket": str(row.ticket),
        "to_ticket": str(row.to_ticket),
        "difference": row.difference,
        "currency": row.currency,
        "order_id": row.order_id,
        "state": row.state,
        "problem": row.problem,
    }


def history(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """What happened to a ticket, from the ledger's log: nothing personal, addresses only."""
    ledger = chain.ledger(tx, ledger_of_ticket(ticket_id))
    return [
        {
            "what": c.kind,
            "at": moment(c.timestamp),
            "block": c.block_number,
            "transaction": "0x" + c.tx_hash.hex(),
            "finality": finality(ledger, c.block_number),
            **{name: value for name, value in c.values.items() if value is not None},
        }
        for c in chain.changes_of_tickets(tx, [ticket_id])
    ]


def handouts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Refunds that a box office has still to hand out, by currency."""
    return [{"currency": row.currency, "refunds": row.refunds, "amount": int(row.amount)} for row in rows]


def finality(ledger: Any, block: int) -> str:
    """How firm a block is: `head` may still be replaced, `safe` hardly ever, `final` never."""
    if ledger is None or block > max(ledger.safe_number, ledger.final_number):
        return "head"
    return "final" if block <= ledger.final_number else "safe"
