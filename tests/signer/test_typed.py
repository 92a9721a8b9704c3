"""Our EIP-712 digests are those of eth_account's general encoder, and hold no value that the type cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ticketchain.domain.consents import (
    Deliveries,
    Exchange,
    ExchangePaid,
    Freeze,
    Gift,
    Line,
    Offer,
    Paid,
    Refund,
    RefundsPaid,
    Revoke,
    Settlements,
    Signable,
    Unfreeze,
    Void,
)
from ticketchain.domain.errors import SignerRefused
from ticketchain.domain.tickets import ticket_id
from ticketchain.signer.typed import Domain, digest

LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
FAN = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
HERE = Domain(31337, LEDGER)

TYPES: dict[type, str] = {
    Gift: "uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline",
    Offer: "uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline",
    Refund: "uint64 id,uint16 epoch,uint40 amount,uint40 deadline",
    Revoke: "uint64 id,uint16 epoch,uint40 deadline",
    Exchange: "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline",
    ExchangePaid: "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference",
    Freeze: "uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference",
    Unfreeze: "uint64 id,uint16 epoch,bytes16 reference",
    Void: "uint64 id,uint16 epoch,bytes16 reference",
    RefundsPaid: "uint40 eventId,uint128 paidBefore,bytes32 lines",
    Deliveries: "uint40 eventId,bytes32 lines",
    Settlements: "uint40 eventId,bytes32 lines",
}


def peer_digest(domain: Domain, value: Signable) -> bytes:
    """The same digest by eth_account, from the types as the contract's documentation spells them."""
    fields = [dict(zip(("type", "name"), field.split(), strict=True)) for field in TYPES[type(value)].split(",")]
    message = encode_typed_data(
        {
            "name": "ticketchain",
            "version": "1",
            "chainId": domain.chain_id,
            "verifyingContract": domain.ledger,
        },
        {type(value).__name__: fields},
        _plain(value),
    )
    return bytes(_hash_eip191_message(message))


def _plain(value: Signable) -> dict[str, Any]:
    if isinstance(value, Deliveries | Settlements):
        words = [word.to_bytes(32, "big") for line in value.lines for word in line.words()]
        return {"eventId": value.event, "lines": keccak(b"".join(words))}
    if isinstance(value, RefundsPaid):
        paid = keccak(b"".join(line.amount.to_bytes(16, "big") + line.reference for line in value.lines))
        return {"eventId": value.event, "paidBefore": value.paid_before, "lines": paid}
    plain = {_camel(name): each for name, each in vars(value).items()}
    if isinstance(value, Offer):
        plain["currency"] = value.currency.encode()
    return plain


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def uints(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
references = st.binary(min_size=16, max_size=16)
ids, epochs, prices, deadlines = uints(64), uints(16), uints(40), uints(40)
differences = st.integers(-(1 << 47), (1 << 47) - 1)
payments = st.builds(Paid, references, st.integers(1, (1 << 40) - 1))


@st.composite
def bulks(draw: st.DrawFn) -> Deliveries | Settlements:
    event = draw(uints(40))
    numbers = draw(st.lists(uints(24), min_size=1, max_size=4))
    resale = draw(st.booleans())
    lines = [
        Line(
            event << 24 | n,
            draw(epochs),
            draw(addresses),
            draw(st.booleans()),
            draw(prices),
            draw(references),
            deadline=draw(deadlines) if resale else 0,
            bound=resale and draw(st.booleans()),
        )
        for n in numbers
    ]
    return Settlements(event, lines) if resale else Deliveries(event, lines)


@given(
    st.one_of(
        st.builds(Gift, ids, epochs, addresses, st.booleans(), deadlines),
        st.builds(
            Offer,
            ids,
            epochs,
            prices,
            st.sampled_from(["EUR", "JPY", "CNY"]),
            deadlines,
            addresses,
            addresses,
        ),
        st.builds(Refund, ids, epochs, prices, deadlines),
        st.builds(Revoke, ids, epochs, deadlines),
        st.builds(Exchange, ids, epochs, ids, epochs, differences, deadlines),
        st.builds(ExchangePaid, ids, epochs, ids, epochs, differences, references),
        st.builds(Freeze, ids, epochs, epochs, references),
        st.builds(Unfreeze, ids, epochs, references),
        st.builds(Void, ids, epochs, references),
        st.builds(RefundsPaid, uints(40), uints(128), st.lists(payments, min_size=1, max_size=4)),
        bulks(),
    ),
    uints(64),
)
def test_digests_equal_those_of_eth_account(value: Signable, chain_id: int) -> None:
    domain = Domain(chain_id, LEDGER)
    assert digest(domain, value) == peer_digest(domain, value)


def test_another_chain_or_ledger_gives_another_digest() -> None:
    gift = Gift(1, 0, FAN, True, 9)
    digests = {digest(domain, gift) for domain in (HERE, Domain(1, LEDGER), Domain(31337, FAN))}
    assert len(digests) == 3


LINE = Line(ticket_id(7, 0, 3), 0, FAN, True, 4500, b"r" * 16)


def test_order_and_every_field_of_the_lines_count() -> None:
    other = replace(LINE, id=LINE.id + 1)
    changed = [
        replace(LINE, epoch=1),
        replace(LINE, to=LEDGER),
        replace(LINE, custodied=False),
        replace(LINE, price=4501),
        replace(LINE, reference=b"s" * 16),
    ]
    lists = [[LINE, other], [other, LINE], [LINE], *([line, other] for line in changed)]
    digests = {digest(HERE, kind(7, lines)) for kind in (Deliveries, Settlements) for lines in lists}
    digests |= {
        digest(HERE, Settlements(7, [replace(LINE, deadline=9, bound=bound), other])) for bound in (False, True)
    }
    assert len(digests) == 2 * len(lists) + 2


def test_the_words_of_a_resale_hold_the_offers_terms() -> None:
    _, payment = replace(LINE, deadline=0xD0D1D2D3D4, bound=True).words()
    assert payment == int.from_bytes(b"r" * 16, "big") | 4500 << 128 | 0xD0D1D2D3D4 << 168 | 1 << 208
    assert replace(LINE, deadline=0, bound=False).words()[1] >> 168 == 0


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Gift(2**64, 0, FAN, True, 1), "id"),
        (Gift(-1, 0, FAN, True, 1), "id"),
        (Gift(1, 2**16, FAN, True, 1), "epoch"),
        (Gift(1, 0, "0x12", True, 1), "to"),
        (Gift(1, 0, FAN[2:] + "00", True, 1), "to"),
        (Gift(1, 0, "0x" + " " * 20 + FAN[22:], True, 1), "to"),
        (Gift(1, 0, FAN, True, 2**40), "deadline"),
        (Offer(1, 0, 2**40, "EUR", 1), "price"),
        (Offer(1, 0, -5, "EUR", 1), "price"),
        (Offer(1, 0, 5, "EURO", 1), "currency"),
        (Offer(1, 0, 5, "€UR", 1), "currency"),
        (Refund(1, 0, 2**40, 1), "amount"),
        (Void(1, 0, b"short"), "reference"),
        (Exchange(1, 0, 2**64, 0, 0, 1), "to_id"),
        (Exchange(1, 0, 2, 2**16, 0, 1), "to_epoch"),
        (Exchange(1, 0, 2, 0, 1 << 47, 1), "difference"),
        (ExchangePaid(1, 0, 2, 0, -(1 << 47) - 1, b"r" * 16), "difference"),
        (ExchangePaid(1, 0, 2, 0, 0, b"r" * 15), "reference"),
        (Freeze(1, 0, 2**16, b"r" * 16), "paid_epoch"),
        (Unfreeze(1, 0, b""), "reference"),
        (RefundsPaid(1, 2**128, [Paid(b"r" * 16, 1)]), "paid_before"),
        (RefundsPaid(1, 0, [Paid(b"r" * 16, 2**40)]), "amount"),
        (RefundsPaid(1, 0, [Paid(b"r", 1)]), "reference"),
        (RefundsPaid(1, 0, [Paid(b"r" * 16, 0)]), "lines"),
        (Deliveries(7, []), "lines"),
        (Deliveries(8, [LINE]), "event 7, not of event 8"),
        (Deliveries(7, [replace(LINE, epoch=2**16)]), "epoch"),
        (Deliveries(7, [replace(LINE, price=2**40)]), "price"),
        (Settlements(7, [replace(LINE, reference=b"r" * 17)]), "reference"),
        (Settlements(7, [replace(LINE, deadline=2**40)]), "deadline"),
        (Deliveries(7, [replace(LINE, deadline=1)]), "a delivery from stock has no seller's offer"),
        (Deliveries(7, [replace(LINE, bound=True)]), "a delivery from stock has no seller's offer"),
        (Settlements(7, [replace(LINE, to="0x" + "f" * 41)]), "to"),
    ],
)
def test_a_value_that_its_type_cannot_hold_is_refused_by_name(value: Signable, named: str) -> None:
    with pytest.raises(SignerRefused, match=named):
        digest(HERE, value)
