"""Consents and attestations of a real ledger, held against other signers than those who signed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby

import pytest
from eth_account import Account

from tests.audit.histories import ticket
from tests.audit.ledger import FAR, LedgerOnChain
from tests.support.anvil import BIG_BLOCKS, FREE_GAS, running_anvil
from ticketchain.artifacts import load
from ticketchain.audit.consents import Claim
from ticketchain.audit.model import State
from ticketchain.audit.reader import LogReader
from ticketchain.audit.rpc import Node
from ticketchain.audit.rules import judge
from ticketchain.audit.signatures import Claims, Verdict, verify

Twist = Callable[[Claim], Claim]


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


def verdict(ledger: LedgerOnChain, twist: Twist) -> Verdict:
    """The verdict on the ledger's claims after each was twisted."""
    node, claims, address = Node(ledger.url), Claims(), ledger.address.lower()
    state = State(address)
    logs = LogReader(node, address, 0, ledger.web3.eth.block_number, lambda *_: None).logs()
    for _, group in groupby(logs, key=lambda log: log.tx):
        list(judge(state, group, claims.note))
    claims.by_tx = {tx: [twist(claim) for claim in told] for tx, told in claims.by_tx.items()}
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


def test_a_wallet_with_code_is_not_judged_unless_custodied(ledger: LedgerOnChain) -> None:
    wallet = ledger.address.lower()
    told = verdict(ledger, lambda claim: replace(claim, holder=wallet))
    assert (told.unjudged, told.findings) == (2, [])
    told = verdict(ledger, lambda claim: replace(claim, holder=wallet, custodied=True))
    assert (told.unjudged, len(told.findings)) == (0, 2)


def _step(claim: Claim, **changes: object) -> Claim:
    return replace(claim, step=replace(claim.step, **changes))  # type: ignore[arg-type]
