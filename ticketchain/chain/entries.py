"""From the contract's logs to entries of the read model: bulk logs become one entry a line, words become fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from eth_utils.address import to_checksum_address

from ticketchain.chain.abi import LedgerLog, decode_problem
from ticketchain.chain.refusals import as_problem
from ticketchain.domain.blocks import Entry
from ticketchain.domain.tickets import event_of

_ADDRESS, _U16, _U40, _U64, _U128 = ((1 << bits) - 1 for bits in (160, 16, 40, 64, 128))


def entries_of(log: LedgerLog) -> list[Entry]:
    """The entries of one log; none for logs that the service does not follow (transfers, roles, allow-lists)."""
    read = _READERS.get(log.name)
    if read is None:
        return []
    return [
        Entry(log.name, log.log.log_index, line, log.log.tx_hash, event, ticket, values)
        for line, (event, ticket, values) in enumerate(read(log.args))
    ]


_Read = Iterator[tuple[int | None, int | None, dict[str, Any]]]


def _sales(args: dict[str, Any]) -> _Read:
    for line in args["lines"]:
        target, payment = line["target"], line["payment"]
        values = {
            "to": _address(target & _ADDRESS),
            "custodied": bool(target >> 240 & 0xFF),
            "price": payment >> 128 & _U40,
            "reference": f"{payment & _U128:032x}",
        }
        yield args["eventId"], target >> 160 & _U64, values


def _given(args: dict[str, Any]) -> _Read:
    ticket = args["id"]
    yield event_of(ticket), ticket, {"to": args["to"], "custodied": args["custodied"]}


def _resold(args: dict[str, Any]) -> _Read:
    ticket = args["id"]
    yield event_of(ticket), ticket, {"to": args["buyer"], "custodied": False, "price": args["price"]}


def _redeemed(args: dict[str, Any]) -> _Read:
    for line in args["lines"]:
        yield args["eventId"], args["eventId"] << 24 | line >> 16, {"gate": args["gate"]}


def _refunded(args: dict[str, Any]) -> _Read:
    ticket = args["id"]
    values = {"epoch": args["epoch"], "amount": args["amount"], "reference": args["ref"].hex()}
    yield event_of(ticket), ticket, values


def _voided(args: dict[str, Any]) -> _Read:
    yield event_of(args["id"]), args["id"], {"reference": args["ref"].hex()}


def _revoked(args: dict[str, Any]) -> _Read:
    yield event_of(args["id"]), args["id"], {}


def _skipped(args: dict[str, Any]) -> _Read:
    problem = decode_problem(args["problem"])
    told = as_problem(problem) if problem else {"reason": "Unknown", "detail": "the ledger gave no reason"}
    yield event_of(args["id"]), args["id"], {"reference": args["ref"].hex()} | told


def _created(args: dict[str, Any]) -> _Read:
    values = {"organizer": args["organizer"], "reference": args["ref"].hex(), "schedule": _schedule(args)}
    yield args["eventId"], None, values


def _rescheduled(args: dict[str, Any]) -> _Read:
    yield args["eventId"], None, {"schedule": _schedule(args), "reason": args["reason"]}


def _entry_key(args: dict[str, Any]) -> _Read:
    values = {"key_id": args["keyId"], "key": args["key"].hex(), "valid_until": args["validUntil"]}
    yield args["eventId"], None, values


def _issued(args: dict[str, Any]) -> _Read:
    yield args["eventId"], None, {"number": args["number"], "manifest": args["manifest"].hex()}


def _released(args: dict[str, Any]) -> _Read:
    yield args["eventId"], None, {"payee": args["payee"], "amount": str(args["amount"])}


def _schedule(args: dict[str, Any]) -> dict[str, int]:
    s = args["schedule"]
    return {
        "doors_at": s["doorsAt"],
        "moves_close_at": s["movesCloseAt"],
        "gifts_close_at": s["giftsCloseAt"],
        "resale_opens_at": s["resaleOpensAt"],
        "resale_closes_at": s["resaleClosesAt"],
    }


def _address(value: int) -> str:
    return to_checksum_address(value.to_bytes(20, "big"))


_READERS: dict[str, Callable[[dict[str, Any]], _Read]] = {
    "Delivered": _sales,
    "Settled": _sales,
    "Given": _given,
    "Resold": _resold,
    "Redeemed": _redeemed,
    "Refunded": _refunded,
    "Voided": _voided,
    "Revoked": _revoked,
    "Skipped": _skipped,
    "EventCreated": _created,
    "ScheduleChanged": _rescheduled,
    "EntryKeySet": _entry_key,
    "BatchIssued": _issued,
    "Released": _released,
}
