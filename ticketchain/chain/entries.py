"""From the contract's logs to entries of the read model: bulk logs become one entry a line, words become fields,
numbers of one ledger become the service's (`domain.ledgers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

from eth_utils.address import to_checksum_address

from ticketchain.chain.abi import LedgerLog, decode_log, decode_problem, topic_of
from ticketchain.chain.refusals import as_problem
from ticketchain.chain.types import Log
from ticketchain.domain.blocks import Entry
from ticketchain.domain.ledgers import event_here, ticket_here
from ticketchain.domain.policy import STATUSES
from ticketchain.domain.tickets import event_of

_ADDRESS, _U16, _U40, _U64, _U128 = ((1 << bits) - 1 for bits in (160, 16, 40, 64, 128))


def entries_in(ledger: int, log: Log) -> list[Entry]:
    """The entries of one log entry; none for logs that the service does not follow."""
    if not log.topics or log.topics[0] not in followed_topics():
        return []
    decoded = decode_log(log)
    return entries_of(ledger, decoded) if decoded is not None else []


def entries_of(ledger: int, log: LedgerLog) -> list[Entry]:
    """The entries of a decoded log; none for logs that the service does not follow.

    Anybody can have a line about any number refused: one that no event or ticket will ever have is left out.
    """
    read = _READERS.get(log.name)
    if read is None:
        return []
    index, tx_hash, entries = log.log.log_index, log.log.tx_hash, []
    for line, (event, ticket, values) in enumerate(read(log.args)):
        here = None if event is None else event_here(ledger, event)
        id_here = None if ticket is None else ticket_here(ledger, ticket)
        if (here is None) == (event is None) and (id_here is None) == (ticket is None):
            if ledger and "other" in values:
                values["other"] = str(ticket_here(ledger, int(values["other"])))
            entries.append(Entry(log.name, index, line, tx_hash, here, id_here, values))
    return entries


@cache
def followed_topics() -> frozenset[bytes]:
    """First topics of the logs that the service follows: not those of accounts (roles, allow-lists, credits, wallets),
    nor those of the standards, which say again what the ledger's own say.
    """
    return frozenset(topic_of(name) for name in _READERS)


_Read = Iterator[tuple[int | None, int | None, dict[str, Any]]]


def _sales(args: dict[str, Any]) -> _Read:
    for line in args["lines"]:
        target, payment = line["target"], line["payment"]
        values = {
            "to": _address(target & _ADDRESS),
            "custodied": bool(target >> 240 & 1),
            "price": payment >> 128 & _U40,
            "epoch": (target >> 224 & _U16) + 1,
            "reference": f"{payment & _U128:032x}",
        }
        yield args["eventId"], target >> 160 & _U64, values


def _single(*names: str) -> Callable[[dict[str, Any]], _Read]:
    """A reader of a log about one ticket, which keeps the values of these names."""

    def read(args: dict[str, Any]) -> _Read:
        yield event_of(args["id"]), args["id"], {_NAMES.get(name, name): _value(args[name]) for name in names}

    return read


def _resold(args: dict[str, Any]) -> _Read:
    values = {"to": args["buyer"], "custodied": False, "price": args["price"], "epoch": args["epoch"]}
    yield event_of(args["id"]), args["id"], values


def _bought(args: dict[str, Any]) -> _Read:
    for event, ticket, values in _resold(args):
        yield event, ticket, values | {"reference": args["ref"].hex()}


def _housed(custodied: bool) -> Callable[[dict[str, Any]], _Read]:
    def read(args: dict[str, Any]) -> _Read:
        values = {"to": args["to"], "custodied": custodied, "counted": args["counted"], "epoch": args["epoch"]}
        yield event_of(args["id"]), args["id"], values

    return read


def _announced(args: dict[str, Any]) -> _Read:
    """Not a move yet: the address is not called `to`, as that of a new holder is."""
    values = {"announced_to": args["to"], "custodied": args["custodied"], "epoch": args["epoch"]}
    yield event_of(args["id"]), args["id"], values | {"ready_at": args["readyAt"]}


def _swapped(args: dict[str, Any]) -> _Read:
    """Each ticket gets the other's holder and custody; the log has no custody, so who folds it looks at the other."""
    one, other = args["id"], args["otherId"]
    yield event_of(one), one, {"to": args["holder"], "epoch": args["epoch"], "other": str(other)}
    yield event_of(other), other, {"to": args["otherHolder"], "epoch": args["otherEpoch"], "other": str(one)}


def _exchanged(args: dict[str, Any]) -> _Read:
    """The ticket taken, with custody and gifts of the ticket given back; and that one, which has no holder now."""
    back, taken = args["id"], args["toId"]
    shared = {"difference": args["difference"], "reference": args["ref"].hex()}
    now = {"to": args["holder"], "price": args["price"], "epoch": args["toEpoch"], "other": str(back)}
    yield event_of(taken), taken, now | shared
    yield event_of(back), back, {"epoch": args["epoch"], "other": str(taken)} | shared


def _redeemed(args: dict[str, Any]) -> _Read:
    for line in args["lines"]:
        yield args["eventId"], args["eventId"] << 24 | line >> 16, {"gate": args["gate"]}


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


def _status(args: dict[str, Any]) -> _Read:
    yield args["eventId"], None, {"status": str(STATUSES[args["status"]]), "reason": args["reason"]}


def _released(args: dict[str, Any]) -> _Read:
    yield args["eventId"], None, {"payee": args["payee"], "amount": str(args["amount"])}


def _escrow_released(args: dict[str, Any]) -> _Read:
    yield args["eventId"], None, {"organizer": args["organizer"], "amount": str(args["amount"])}


def _refunds_paid(args: dict[str, Any]) -> _Read:
    for line in args["lines"]:
        values = {"reference": f"{line & _U128:032x}", "amount": line >> 128 & _U40}
        yield args["eventId"], None, values | {"paid": str(args["paid"])}


def _schedule(args: dict[str, Any]) -> dict[str, int]:
    s = args["schedule"]
    return {
        "doors_at": s["doorsAt"],
        "moves_close_at": s["movesCloseAt"],
        "gifts_close_at": s["giftsCloseAt"],
        "resale_opens_at": s["resaleOpensAt"],
        "resale_closes_at": s["resaleClosesAt"],
        "release_at": s["releaseAt"],
    }


def _value(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


@lru_cache(maxsize=65_536)
def _address(value: int) -> str:
    """EIP-55 costs a hash; holders come back again and again."""
    return to_checksum_address(value.to_bytes(20, "big"))


_NAMES = {"ref": "reference"}
"""Names of ours for arguments of the logs."""

_READERS: dict[str, Callable[[dict[str, Any]], _Read]] = {
    "Delivered": _sales,
    "Settled": _sales,
    "Resold": _resold,
    "Bought": _bought,
    "Given": _single("to", "custodied", "epoch"),
    "Withdrawn": _housed(custodied=False),
    "Deposited": _housed(custodied=True),
    "Reissued": _single("to", "custodied", "epoch"),
    "Swapped": _swapped,
    "Exchanged": _exchanged,
    "PoolReturned": _single("seller", "price", "epoch"),
    "PoolSold": _single("seller", "price", "royalty"),
    "Redeemed": _redeemed,
    "Refunded": _single("epoch", "amount", "ref"),
    "RefundedCancelled": _single("holder", "epoch", "amount"),
    "Voided": _single("epoch", "ref"),
    "Revoked": _single("epoch"),
    "Activated": _single("epoch"),
    "Frozen": _single("epoch", "ref"),
    "Unfrozen": _single("epoch", "ref"),
    "ReissueAnnounced": _announced,
    "ReissueVetoed": _single("epoch"),
    "IdentityCommitted": _single("epoch", "commitment"),
    "Skipped": _skipped,
    "EventCreated": _created,
    "ScheduleChanged": _rescheduled,
    "StatusChanged": _status,
    "EntryKeySet": _entry_key,
    "BatchIssued": _issued,
    "Released": _released,
    "EscrowReleased": _escrow_released,
    "RefundsPaid": _refunds_paid,
}
