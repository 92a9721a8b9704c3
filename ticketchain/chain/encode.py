"""From intents of the outbox to calls of the contract, in the ledger's own numbers, and what a call costs at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ticketchain.chain.abi import encode_call
from ticketchain.domain import consents as c
from ticketchain.domain import intents as i
from ticketchain.domain.anchors import Head, anchor_data
from ticketchain.domain.consents import Attestation, Deliveries, Line, Sales, Settlements, on_chain
from ticketchain.domain.ledgers import event_on_chain, ticket_on_chain
from ticketchain.domain.policy import SUPPLY_CLASSES, EventStatus, Schedule
from ticketchain.domain.tickets import number_of

Attest = Callable[[Attestation], bytes]
"""The attestor's signature over what a call says of money."""

_STATUS_CALLS = {EventStatus.PAUSED: "pause", EventStatus.LIVE: "resume", EventStatus.CANCELLED: "cancel"}

GAS_LIMIT = 16_777_216
"""What one transaction may use at most (EIP-7825)."""


def call_of(event: int, intents: Sequence[i.Intent], attest: Attest) -> bytes:
    """The call data that carries these intents of one event: any number of a bulk kind, or one of another.

    `event` and the intents have the service's numbers; so has what `attest` is given.
    """
    here = event_on_chain(event)
    match intents[0]:
        case i.Deliver():
            deliveries = Deliveries(event, [_line(intent) for intent in intents])
            return encode_call("deliver", here, _words(deliveries), attest(deliveries))
        case i.Settle():
            return _settlement(event, intents, attest)
        case i.Redeem():
            return encode_call("redeem", here, [_redemption(intent) for intent in intents])
        case i.RefundCancelled():
            return encode_call("refundCancelled", here, [ticket_on_chain(_ticket(intent)) for intent in intents])
        case i.RecordRefundsPaid():
            return _refunds_paid(event, intents[0], attest)
        case i.Anchor():
            return _anchor(intents[0])
        case i.Exchange() | i.Freeze() | i.Unfreeze() | i.VoidTicket():
            return _attested(intents[0], attest)
        case single:
            return _single(here, single)


def _line(intent: Any, deadline: int = 0) -> Line:
    """A line of a bulk sale; our sellers offer to anyone, so no line is bound to its buyer."""
    reference = bytes.fromhex(intent.reference)
    return Line(intent.ticket, intent.epoch, intent.to, intent.custodied, intent.price, reference, deadline)


def _settlement(event: int, intents: Sequence[Any], attest: Attest) -> bytes:
    settlements = Settlements(event, [_line(intent, intent.deadline) for intent in intents])
    consents = _stream(bytes.fromhex(intent.consent) for intent in intents)
    here = event_on_chain(event)
    return encode_call("settleResales", here, _words(settlements), consents, attest(settlements))


def _ticket(intent: Any) -> int:
    return int(intent.ticket)


def _refunds_paid(event: int, intent: i.RecordRefundsPaid, attest: Attest) -> bytes:
    lines = [c.Paid(bytes.fromhex(line["reference"]), line["amount"]) for line in intent.lines]
    attestation = attest(c.RefundsPaid(event, intent.paid_before, lines))
    return encode_call("recordRefundsPaid", event_on_chain(event), [line.word() for line in lines], attestation)


def _anchor(a: i.Anchor) -> bytes:
    """No call, but the data of a relayer's transaction to itself."""
    heads = Head(a.signer_seq, bytes.fromhex(a.signer_hash)), Head(a.access_seq, bytes.fromhex(a.access_hash))
    return anchor_data(*heads)


def _attested(intent: Any, attest: Attest) -> bytes:
    """What happens to one ticket on the attestor's word: an exchange, or a dispute's beginning and end."""
    ticket, epoch, reference = intent.ticket, intent.epoch, bytes.fromhex(intent.reference)
    match intent:
        case i.Exchange():
            return _exchange(intent, reference, attest)
        case i.Freeze(paid_epoch=paid):
            word = attest(c.Freeze(ticket, epoch, paid, reference))
            return encode_call("freeze", ticket_on_chain(ticket), epoch, paid, reference, word)
        case i.Unfreeze():
            word = attest(c.Unfreeze(ticket, epoch, reference))
            return encode_call("unfreeze", ticket_on_chain(ticket), epoch, reference, word)
    word = attest(c.Void(ticket, epoch, reference))
    return encode_call("voidTicket", ticket_on_chain(ticket), epoch, reference, word)


def _exchange(e: i.Exchange, reference: bytes, attest: Attest) -> bytes:
    word = attest(c.ExchangePaid(e.ticket, e.epoch, e.to_ticket, e.to_epoch, e.difference, reference))
    tickets = (ticket_on_chain(e.ticket), e.epoch, ticket_on_chain(e.to_ticket), e.to_epoch)
    return encode_call("exchange", (*tickets, e.difference, reference, e.deadline), bytes.fromhex(e.consent), word)


def _words(attestation: Sales) -> list[tuple[int, int]]:
    return [line.words() for line in on_chain(attestation).lines]


def _stream(consents: Iterable[bytes]) -> bytes:
    """The sellers' signatures in the order of the lines, each behind its length in two bytes."""
    return b"".join(len(consent).to_bytes(2, "big") + consent for consent in consents)


def _redemption(intent: Any) -> int:
    return number_of(intent.ticket) << 16 | int(intent.epoch)


def _single(event: int, intent: i.Intent) -> bytes:
    match intent:
        case i.CreateEvent():
            terms, schedule = _terms(intent.terms), schedule_words(intent.schedule)
            reference = bytes.fromhex(intent.reference).ljust(32, b"\0")
            return encode_call("createEvent", intent.organizer, reference, terms, schedule)
        case i.SetSchedule():
            return encode_call("setSchedule", event, schedule_words(intent.schedule), intent.reason)
        case i.SetStatus():
            return encode_call(_STATUS_CALLS[EventStatus(intent.status)], event, intent.reason)
        case i.SetEntryKey():
            return encode_call("setEntryKey", event, intent.key_id, bytes.fromhex(intent.key), intent.valid_until)
        case i.Issue():
            batch = (intent.supply, intent.price_class, intent.supply_class, intent.section, intent.face)
            return encode_call("issue", event, intent.number, batch, bytes.fromhex(intent.manifest))
        case i.Release():
            return encode_call("release", event, [(p["account"], p["bps"]) for p in intent.payees])
    return _with_consent(intent)


def _with_consent(intent: i.Intent) -> bytes:
    match intent:
        case i.Give(ticket, epoch, to, custodied, deadline, consent):
            return encode_call("gift", ticket_on_chain(ticket), epoch, to, custodied, deadline, bytes.fromhex(consent))
        case i.Return(ticket, epoch, amount, reference, deadline, consent):
            back = (amount, bytes.fromhex(reference), deadline, bytes.fromhex(consent))
            return encode_call("refund", ticket_on_chain(ticket), epoch, *back)
        case i.Revoke(ticket, epoch, deadline, consent):
            return encode_call("revoke", ticket_on_chain(ticket), epoch, deadline, bytes.fromhex(consent))
        case i.Withdraw(ticket, epoch, to, deadline, consent) | i.Deposit(ticket, epoch, to, deadline, consent):
            return encode_call(intent.kind, ticket_on_chain(ticket), epoch, to, deadline, bytes.fromhex(consent))
    raise ValueError(f"{type(intent).__name__} is no single call")


def _terms(terms: dict[str, Any]) -> tuple[Any, ...]:
    payees = [(p["account"], p["bps"]) for p in terms["payees"]]
    rates = (terms["currency"].encode(), terms["cap_bps"], terms["royalty_bps"], terms["gift_limit"])
    rail = (terms["cooldown_s"], terms["token"], terms["unit_exponent"], bytes.fromhex(terms["refund_rule"]))
    limits = (terms["earliest_release"], terms["holder_limit"], terms["entries"])
    switches = (terms["cap_at_paid"], terms["reissue"], terms["identity"])
    supplies = [terms["supplies"][name] for name in SUPPLY_CLASSES]
    return (*rates, *rail, payees, supplies, *limits, *switches, bytes.fromhex(terms["gift_root"]).rjust(32, b"\0"))


def schedule_words(schedule: dict[str, int]) -> tuple[int, ...]:
    """A schedule in the order of the contract's struct."""
    s = Schedule(**schedule)
    closings = (s.moves_close_at, s.gifts_close_at, s.resale_opens_at, s.resale_closes_at)
    return (s.doors_at, *closings, s.release_at)
