"""EIP-712 digests of everything that is signed for the ledger: consents of holders, attestations of payments.

Types and field order are those of `ITicketLedger`. Written out with precomputed type hashes, because a
general encoder takes longer than the signature itself. The lines of a bulk attestation are hashed as the
concatenation of their packed words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from eth_hash.auto import keccak

from ticketchain.domain.consents import (
    Deliveries,
    Deposit,
    Exchange,
    ExchangePaid,
    Freeze,
    Gift,
    Line,
    Offer,
    Paid,
    Refund,
    RefundsPaid,
    RegisterWallet,
    Revoke,
    Sales,
    Settlements,
    Signable,
    Unfreeze,
    Void,
    Withdraw,
)
from ticketchain.domain.errors import SignerRefused
from ticketchain.domain.tickets import event_of

_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_NAME, _VERSION = keccak(b"ticketchain"), keccak(b"1")
_GIFT = keccak(b"Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)")
_OFFER = keccak(
    b"Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)"
)
_REFUND = keccak(b"Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)")
_REVOKE = keccak(b"Revoke(uint64 id,uint16 epoch,uint40 deadline)")
_DELIVERIES = keccak(b"Deliveries(uint40 eventId,bytes32 lines)")
_SETTLEMENTS = keccak(b"Settlements(uint40 eventId,bytes32 lines)")
_REFUNDS_PAID = keccak(b"RefundsPaid(uint40 eventId,uint128 paidBefore,bytes32 lines)")
_EXCHANGE = keccak(b"Exchange(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline)")
_EXCHANGE_PAID = keccak(
    b"ExchangePaid(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference)"
)
_WITHDRAW = keccak(b"Withdraw(uint64 id,uint16 epoch,address to,uint40 deadline)")
_DEPOSIT = keccak(b"Deposit(uint64 id,uint16 epoch,address to,uint40 deadline)")
_REGISTER_WALLET = keccak(b"RegisterWallet(address account,address wallet,uint40 deadline)")
_FREEZE = keccak(b"Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)")
_UNFREEZE = keccak(b"Unfreeze(uint64 id,uint16 epoch,bytes16 reference)")
_VOID = keccak(b"Void(uint64 id,uint16 epoch,bytes16 reference)")


@dataclass(frozen=True)
class Domain:
    """The one ledger that signatures are for: EIP-155 chain id and contract address."""

    chain_id: int
    ledger: str

    @cached_property
    def separator(self) -> bytes:
        """EIP-712 domain separator. Raises `SignerRefused` for a malformed address."""
        place = _uint(self.chain_id, 256, "chain id") + _address(self.ledger, "ledger")
        return keccak(_DOMAIN_TYPE + _NAME + _VERSION + place)


def digest(domain: Domain, value: Signable) -> bytes:
    """The 32 bytes to sign. Raises `SignerRefused` as `preimage` does."""
    return keccak(preimage(domain, value))


def preimage(domain: Domain, value: Signable) -> bytes:
    """The 66 bytes whose keccak-256 is signed (EIP-712). Raises `SignerRefused` for a value that its type cannot hold
    or that contradicts itself.
    """
    encode = _ENCODERS.get(type(value))
    if encode is None:
        raise SignerRefused(f"{type(value).__name__} is nothing that the ledger knows")
    return b"\x19\x01" + domain.separator + keccak(encode(value))


def _gift(gift: Gift) -> bytes:
    return (
        _GIFT
        + _ticket(gift.id, gift.epoch)
        + _address(gift.to, "to")
        + _uint(int(gift.custodied), 1, "custodied")
        + _uint(gift.deadline, 40, "deadline")
    )


def _offer(offer: Offer) -> bytes:
    return (
        _OFFER
        + _ticket(offer.id, offer.epoch)
        + _uint(offer.price, 40, "price")
        + _currency(offer.currency)
        + _address(offer.token, "token")
        + _address(offer.buyer, "buyer")
        + _uint(offer.deadline, 40, "deadline")
    )


def _refund(refund: Refund) -> bytes:
    amount, deadline = _uint(refund.amount, 40, "amount"), _uint(refund.deadline, 40, "deadline")
    return _REFUND + _ticket(refund.id, refund.epoch) + amount + deadline


def _revoke(revoke: Revoke) -> bytes:
    return _REVOKE + _ticket(revoke.id, revoke.epoch) + _uint(revoke.deadline, 40, "deadline")


def _exchange(exchange: Exchange) -> bytes:
    return _EXCHANGE + _exchanged(exchange) + _uint(exchange.deadline, 40, "deadline")


def _withdraw(withdraw: Withdraw) -> bytes:
    return _WITHDRAW + _housed(withdraw)


def _deposit(deposit: Deposit) -> bytes:
    return _DEPOSIT + _housed(deposit)


def _housed(move: Withdraw | Deposit) -> bytes:
    return _ticket(move.id, move.epoch) + _address(move.to, "to") + _uint(move.deadline, 40, "deadline")


def _register_wallet(register: RegisterWallet) -> bytes:
    both = _address(register.account, "account") + _address(register.wallet, "wallet")
    return _REGISTER_WALLET + both + _uint(register.deadline, 40, "deadline")


def _exchange_paid(paid: ExchangePaid) -> bytes:
    return _EXCHANGE_PAID + _exchanged(paid) + _reference_word(paid.reference)


def _exchanged(value: Exchange | ExchangePaid) -> bytes:
    taken = _uint(value.to_id, 64, "to_id") + _uint(value.to_epoch, 16, "to_epoch")
    return _ticket(value.id, value.epoch) + taken + _int(value.difference, 48, "difference")


def _freeze(freeze: Freeze) -> bytes:
    paid = _uint(freeze.paid_epoch, 16, "paid_epoch")
    return _FREEZE + _ticket(freeze.id, freeze.epoch) + paid + _reference_word(freeze.reference)


def _unfreeze(unfreeze: Unfreeze) -> bytes:
    return _UNFREEZE + _ticket(unfreeze.id, unfreeze.epoch) + _reference_word(unfreeze.reference)


def _void(void: Void) -> bytes:
    return _VOID + _ticket(void.id, void.epoch) + _reference_word(void.reference)


def _refunds_paid(paid: RefundsPaid) -> bytes:
    if not any(line.amount for line in paid.lines):
        raise SignerRefused("lines: refunds that pay nothing leave the total as it is; name at least one amount")
    before = _uint(paid.paid_before, 128, "paid_before")
    return _REFUNDS_PAID + _uint(paid.event, 40, "event") + before + keccak(b"".join(map(_paid, paid.lines)))


def _paid(line: Paid) -> bytes:
    _uint(line.amount, 40, "amount")
    _reference(line.reference)
    return line.word().to_bytes(32, "big")


def _deliveries(deliveries: Deliveries) -> bytes:
    if any(line.deadline or line.bound for line in deliveries.lines):
        raise SignerRefused("lines: a delivery from stock has no seller's offer; leave its deadline and buyer out")
    return _DELIVERIES + _bulk(deliveries)


def _settlements(settlements: Settlements) -> bytes:
    return _SETTLEMENTS + _bulk(settlements)


def _bulk(bulk: Sales) -> bytes:
    if not bulk.lines:
        raise SignerRefused("lines: an attestation without lines says nothing; name at least one")
    packed = b"".join(_line(bulk.event, line) for line in bulk.lines)
    return _uint(bulk.event, 40, "event") + keccak(packed)


def _line(event: int, line: Line) -> bytes:
    """The packed words of a line whose fields all fit their place: a longer one would spill into its
    neighbour.
    """
    _ticket(line.id, line.epoch)
    _address(line.to, "to")
    _uint(int(line.custodied), 1, "custodied")
    _uint(line.price, 40, "price")
    _uint(line.deadline, 40, "deadline")
    _uint(int(line.bound), 1, "bound")
    _reference(line.reference)
    if event_of(line.id) != event:
        raise SignerRefused(f"lines: ticket {line.id} is of event {event_of(line.id)}, not of event {event}")
    target, payment = line.words()
    return target.to_bytes(32, "big") + payment.to_bytes(32, "big")


def _ticket(ticket: int, epoch: int) -> bytes:
    return _uint(ticket, 64, "id") + _uint(epoch, 16, "epoch")


def _uint(value: int, bits: int, field: str) -> bytes:
    if value < 0 or value >> bits:
        raise SignerRefused(f"{field}: {value} does not fit {bits} bits")
    return value.to_bytes(32, "big")


def _int(value: int, bits: int, field: str) -> bytes:
    if not -1 << bits - 1 <= value < 1 << bits - 1:
        raise SignerRefused(f"{field}: {value} does not fit {bits} bits with a sign")
    return value.to_bytes(32, "big", signed=True)


def _address(address: str, field: str) -> bytes:
    try:
        value = bytes.fromhex(address[2:])
    except ValueError:
        value = b""
    if len(value) != 20 or len(address) != 42 or not address.startswith("0x"):
        raise SignerRefused(f"{field}: {address!r} is no address; write 0x and 40 hexadecimal digits")
    return value.rjust(32, b"\0")


def _currency(code: str) -> bytes:
    if len(code) != 3 or not code.isascii():
        raise SignerRefused(f"currency: {code!r} is no ISO 4217 code; write three capital letters such as EUR")
    return code.encode().ljust(32, b"\0")


def _reference(reference: bytes) -> bytes:
    if len(reference) != 16:
        raise SignerRefused(f"reference: has {len(reference)} bytes; a payment reference has 16")
    return reference


def _reference_word(reference: bytes) -> bytes:
    return _reference(reference).ljust(32, b"\0")


_ENCODERS = cast(
    dict[type, Callable[[Signable], bytes]],
    {
        Gift: _gift,
        Offer: _offer,
        Refund: _refund,
        Revoke: _revoke,
        Exchange: _exchange,
        Withdraw: _withdraw,
        Deposit: _deposit,
        RegisterWallet: _register_wallet,
        ExchangePaid: _exchange_paid,
        RefundsPaid: _refunds_paid,
        Freeze: _freeze,
        Unfreeze: _unfreeze,
        Void: _void,
        Deliveries: _deliveries,
        Settlements: _settlements,
    },
)
