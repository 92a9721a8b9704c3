"""Consents and attestations of a real ledger, held against other signers than those who signed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby

import pytest
from eth_account import Account
from web3 import Web3

from tests.audit.histories import ticket
from tests.audit.ledger import FAR, LedgerOnChain
from tests.support.anvil import BIG_BLOCKS, FREE_GAS, running_anvil
from ticketchain.artifacts import load
from ticketchain.audit.consents import Claim, stream
from ticketchain.audit.eip712 import unpacked
from ticketchain.audit.model import State
from ticketchain.audit.reader import LogReader
from ticketchain.audit.rpc import Node
from ticketchain.audit.rules import judge
from ticketchain.audit.signatures import Claims, Payment, Verdict, verify

Twist = Callable[[Claim], Claim]
PaymentTwist = Callable[[Payment], Payment]


@pytest.fixture(scope="module")
def ledger() -> Iterator[LedgerOnChain]:
    """A delivery, a gift and a resale."""
    artifact = load("TicketLedger")
    seller, friend, buyer = (Account.create() for _ in range(3))
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        ledger = LedgerOnChain(url, artifact.abi, artifact.bytecode, load("TicketDesk").bytecode)
        ledger.create_event()
        ledger.issue(3)
        ledger.deliver((ticket(0), seller), (ticket(1), seller))
        ledger.give(ticket(0), seller, friend)
        ledger.settle(ticket(1), seller, buyer, 4_000)
        yield ledger


def verdict(ledger: LedgerOnChain, twist: Twist, payment_twist: PaymentTwist = lambda payment: payment) -> Verdict:
    """The verdict on the ledger's claims, and refunds paid, after each was twisted."""
    node, claims, address = Node(ledger.url), Claims(), ledger.address.lower()
    state = State(address)
    logs = LogReader(node, address, 0, ledger.web3.eth.block_number, lambda *_: None).logs()
    for _, group in groupby(logs, key=lambda log: log.tx):
        list(judge(state, group, claims.note))
    claims.by_tx = {tx: [twist(claim) for claim in told] for tx, told in claims.by_tx.items()}
    claims.payments = {tx: [payment_twist(payment) for payment in told] for tx, told in claims.payments.items()}
    return verify(node, address, ledger.chain_id, claims, lambda *_: None)


def test_true_claims_are_good(ledger: LedgerOnChain) -> None:
    assert verdict(ledger, lambda claim: claim) == Verdict(good=4)


@pytest.mark.parametrize(
    ("twist", "found"),
    [
        (lambda claim: replace(claim, attestors=frozenset()), ["not_attested"] * 2),
        (lambda claim: replace(claim, relayers=frozenset()), ["not_a_relayer"] * 2),
        (lambda claim: replace(claim, holder="0x" + "77" * 20), ["not_consented"] * 2),
        (lambda claim: replace(claim, currency=b"USD"), ["not_consented"]),
        (lambda claim: _step(claim, log=replace(claim.step.log, time=FAR + 1)), ["late_consent"] * 2),
        (lambda claim: _step(claim, epoch=0), ["not_attested"] * 3 + ["not_consented"] * 2),
        (lambda claim: _step(claim, amount=1), ["not_attested"] * 3 + ["not_consented"]),
        (lambda claim: _step(claim, taker="0x" + "77" * 20), ["not_attested"] * 3 + ["not_consented"] * 2),
    ],
)
def test_a_claim_that_nobody_signed_is_found(ledger: LedgerOnChain, twist: Twist, found: list[str]) -> None:
    assert sorted(finding.rule for finding in verdict(ledger, twist).findings) == found


@pytest.fixture(scope="module")
def rarer() -> Iterator[LedgerOnChain]:
    """A swap, an exchange, a listed gift, a freeze of a ticket given away, and a return to the pool."""
    anna, bela, cleo = (Account.create() for _ in range(3))
    leaf = Web3.keccak(Web3.keccak(bytes.fromhex(cleo.address[2:]).rjust(32, b"\0")))
    artifact = load("TicketLedger")
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        ledger = LedgerOnChain(url, artifact.abi, artifact.bytecode, load("TicketDesk").bytecode)
        ledger.create_event(gift_root=bytes(leaf))
        ledger.issue(9)
        ledger.deliver((ticket(0), anna), (ticket(1), bela), (ticket(2), anna), (ticket(3), anna))
        ledger.swap((ticket(0), anna), (ticket(1), bela))
        ledger.exchange(ticket(1), anna, ticket(8), 0)
        line = (ticket(2), 1, cleo.address, False, FAR)
        consent = ledger.sign(anna, "Gift", id=ticket(2), epoch=1, to=cleo.address, custodied=False, deadline=FAR)
        ledger.call(ledger.relayer, "giftListed", line, consent, [])
        ledger.freeze(ticket(2), 1)
        ledger.agreed("poolReturn", "PoolReturn", ticket(3), anna, price=4_000)
        yield ledger


def test_the_rarer_claims_are_good(rarer: LedgerOnChain) -> None:
    """One attestation of the deliveries, two consents to the swap, both signatures of the exchange, and so on."""
    assert verdict(rarer, lambda claim: claim) == Verdict(good=8)


@pytest.mark.parametrize(
    ("twist", "found"),
    [
        (lambda claim: replace(claim, paid_epoch=2), ["not_attested"]),
        (lambda claim: replace(claim, gift_root=b"\7" * 32), ["not_listed"]),
        (lambda claim: _step(claim, other=ticket(7)), ["not_attested"] + ["not_consented"] * 3),
        (lambda claim: _step(claim, other_epoch=9), ["not_attested"] + ["not_consented"] * 3),
        (lambda claim: _step(claim, difference=-1), ["not_attested", "not_consented"]),
        (lambda claim: _step(claim, reference=b"\7" * 16), ["not_attested"] * 6),
        (lambda claim: replace(claim, relayers=frozenset()), ["not_a_relayer"] * 3),
        (lambda claim: replace(claim, holder="0x" + "77" * 20), ["not_consented"] * 5),
    ],
)
def test_a_rarer_claim_that_nobody_signed_is_found(rarer: LedgerOnChain, twist: Twist, found: list[str]) -> None:
    assert sorted(finding.rule for finding in verdict(rarer, twist).findings) == found


@pytest.fixture(scope="module")
def repaid() -> Iterator[LedgerOnChain]:
    """A refund, paid in two parts."""
    artifact, anna = load("TicketLedger"), Account.create()
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        ledger = LedgerOnChain(url, artifact.abi, artifact.bytecode, load("TicketDesk").bytecode)
        ledger.create_event()
        ledger.issue(1)
        ledger.deliver((ticket(0), anna))
        ledger.refund(ticket(0), anna, 4_000)
        ledger.refunds_paid(0, 1_000, 500)
        ledger.refunds_paid(1_500, 2_500)
        yield ledger


@pytest.mark.parametrize(
    ("twist", "good", "found"),
    [
        (lambda payment: payment, 4, []),
        (lambda payment: replace(payment, attestors=frozenset()), 2, ["not_attested"] * 2),
        (lambda payment: replace(payment, relayers=frozenset()), 4, ["not_a_relayer"] * 2),
        (lambda payment: replace(payment, paid_before=1_500), 3, ["not_attested"]),
        (lambda payment: _paid(payment, lines=[2_500 << 128]), 2, ["not_attested"] * 2),
        (lambda payment: _paid(payment, eventId=2), 2, ["not_attested"] * 2),
    ],
)
def test_refunds_paid_that_nobody_attested_are_found(
    repaid: LedgerOnChain, twist: PaymentTwist, good: int, found: list[str]
) -> None:
    told = verdict(repaid, lambda claim: claim, twist)
    assert (told.good, sorted(finding.rule for finding in told.findings)) == (good, found)


def test_signatures_of_64_bytes_and_streams_that_end_early() -> None:
    r, s = b"\1" * 32, b"\2" * 32
    for parity in (0, 1):
        packed = r + bytes([s[0] | parity << 7]) + s[1:]
        assert unpacked(packed) == r + s + bytes([27 + parity])
    assert unpacked(r + s + b"\x1b") == r + s + b"\x1b"
    assert stream(b"\0\2ab\0\0\0\3xyz") == [b"ab", b"", b"xyz"]
    assert stream(b"\0\5ab") == [b"ab"] and stream(b"\0") == []


def test_a_wallet_with_code_is_not_judged_unless_custodied(ledger: LedgerOnChain) -> None:
    wallet = ledger.address.lower()
    told = verdict(ledger, lambda claim: replace(claim, holder=wallet))
    assert (told.unjudged, told.findings) == (2, [])
    told = verdict(ledger, lambda claim: replace(claim, holder=wallet, custodied=True))
    assert (told.unjudged, len(told.findings)) == (0, 2)


def _step(claim: Claim, **changes: object) -> Claim:
    return replace(claim, step=replace(claim.step, **changes))  # type: ignore[arg-type]


def _paid(payment: Payment, **changes: object) -> Payment:
    return replace(payment, log=replace(payment.log, args={**payment.log.args, **changes}))
