"""The rarer moves of a real ledger, and what the auditor makes of them: everything agrees, down to the signatures."""

from collections.abc import Iterator

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from tests.audit.histories import ticket
from tests.audit.ledger import FACE, FAR, NOBODY, LedgerOnChain
from tests.audit.tokens import token_on
from tests.support.anvil import BIG_BLOCKS, FREE_GAS, running_anvil
from ticketchain.artifacts import load
from ticketchain.audit import Report, audit_ledger

DAY = 86_400


@pytest.fixture
def ledger() -> Iterator[LedgerOnChain]:
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        yield LedgerOnChain(url, load("TicketLedger").abi, load("TicketLedger").bytecode, load("TicketDesk").bytecode)


def fans(number: int) -> list[LocalAccount]:
    return [Account.create() for _ in range(number)]


def audited(ledger: LedgerOnChain) -> Report:
    """The report of a ledger of which nothing is wrong and everything could be judged."""
    report = audit_ledger(ledger.url, ledger.address, signatures=True)
    assert report.findings == ()
    assert [note for note in report.notes if "can't be judged" in note] == []
    return report


def test_own_wallets_swaps_and_exchanges(ledger: LedgerOnChain) -> None:
    anna, bela, wallet, other = fans(4)
    ledger.create_event(holder_limit=3)
    ledger.issue(8)
    ledger.register(anna, wallet)
    ledger.deliver((ticket(0), anna), (ticket(1), anna), custodied=True)
    ledger.deliver((ticket(2), bela))
    ledger.agreed("withdraw", "Withdraw", ticket(0), anna, to=wallet.address)
    ledger.agreed("deposit", "Deposit", ticket(0), wallet, to=anna.address)
    ledger.agreed("withdraw", "Withdraw", ticket(1), anna, to=other.address)
    ledger.swap((ticket(0), anna), (ticket(2), bela))
    ledger.give(ticket(0), bela, other)
    ledger.exchange(ticket(0), other, ticket(7), 0)
    ledger.settle(ticket(7), other, bela, 5_500, bound=True)
    ledger.revoke(ticket(2), anna)
    ledger.agreed("activate", "Activate", ticket(2), anna)
    ledger.redeem(ticket(2))
    counts = audited(ledger).counts
    assert (counts.withdrawals, counts.deposits, counts.swaps, counts.exchanges) == (2, 1, 1, 1)
    assert (counts.activations, counts.gifts, counts.resales, counts.held, counts.redeemed) == (1, 1, 1, 2, 1)


def test_exchange_across_events_pays_the_difference(ledger: LedgerOnChain) -> None:
    (anna,) = fans(1)
    for event in (1, 2):
        ledger.create_event()
        ledger.issue(3, event=event)
    ledger.issue(3, event=2, number=1, face=FACE + 2_000)
    ledger.issue(3, event=2, number=2, face=FACE - 1_000)
    ledger.deliver((ticket(0), anna), (ticket(1), anna))
    ledger.exchange(ticket(0), anna, ticket(0, batch=1, event=2), 2_000)
    ledger.exchange(ticket(1), anna, ticket(0, batch=2, event=2), -1_000)
    ledger.refund(ticket(0, batch=1, event=2), anna, 7_000)
    ledger.refunds_paid(0, 600, 400)
    ledger.refunds_paid(0, 7_000, event=2)
    report = audited(ledger)
    (money,) = report.money
    assert (money.exchanged, money.refunded, money.refunds_due, money.refunds_paid) == (2_000, 8_000, 8_000, 8_000)
    assert [(event.refunds_due, event.refunds_paid) for event in report.events] == [(1_000, 1_000), (7_000, 7_000)]


def test_the_pool_pays_its_sellers(ledger: LedgerOnChain) -> None:
    anna, bela, cleo = fans(3)
    ledger.create_event(cap_at_paid=True)
    ledger.issue(4)
    ledger.deliver((ticket(0), anna), (ticket(1), anna))
    ledger.agreed("poolReturn", "PoolReturn", ticket(0), anna, price=4_500)
    ledger.agreed("poolReturn", "PoolReturn", ticket(1), anna, price=5_000)
    ledger.deliver((ticket(0), bela), (ticket(2), cleo), price=5_200)  # neither is sold for more than is asked
    ledger.deliver((ticket(0), bela), price=4_500)
    ledger.deliver((ticket(2), cleo))
    report = audited(ledger)
    (money,) = report.money
    assert (report.counts.pooled, report.counts.pool_returns, report.events[0].pooled) == (1, 2, 1)
    assert (money.primary, money.resale) == (3 * FACE, 4_500)
    assert (money.royalties, money.sellers, report.events[0].pot) == (500, 4_000, 500)
    ledger.call(ledger.relayer, "cancel", 1, "storm")
    ledger.call(bela, "refundCancelled", 1, [ticket(0), ticket(1), ticket(2), ticket(3)])
    report = audited(ledger)
    assert (report.counts.cancelled_refunds, report.counts.skipped, report.counts.in_stock) == (3, 3, 4)
    assert (report.events[0].status, report.events[0].refunds_due) == ("cancelled", 4_500 + 2 * FACE)


def test_disputes_reissues_and_identities(ledger: LedgerOnChain) -> None:
    anna, bela, lost, found = fans(4)
    ledger.create_event(reissue=True, identity=True, open_for=30 * DAY)
    ledger.issue(5)
    ledger.deliver((ticket(0), anna), (ticket(1), anna), (ticket(2), anna), (ticket(3), lost), (ticket(4), bela))
    ledger.revoke(ticket(0), anna)
    ledger.give(ticket(0), anna, bela)
    ledger.unfreeze(ticket(0), ledger.freeze(ticket(0), 1))
    ledger.freeze(ticket(0), 1)
    ledger.agreed("activate", "Activate", ticket(4), bela)
    ledger.unfreeze(ticket(4), ledger.freeze(ticket(4), 1))
    ledger.freeze(ticket(1), 1)
    ledger.void(ticket(1))
    commitment = b"\5" * 32
    ledger.agreed("commitIdentity", "Identity", ticket(2), anna, commitment=commitment)
    ledger.revoke(ticket(2), anna)
    ledger.agreed("commitIdentity", "Identity", ticket(2), anna, commitment=commitment[::-1])
    ledger.call(ledger.relayer, "announceReissue", ticket(3), 1, found.address, True)
    ledger.call(ledger.relayer, "announceReissue", ticket(2), 2, found.address, False)
    ledger.agreed("vetoReissue", "Veto", ticket(2), anna)
    ledger.sleep(2 * DAY)
    ledger.call(ledger.relayer, "reissue", ticket(3))
    counts = audited(ledger).counts
    assert (counts.freezes, counts.voids, counts.reissues, counts.revocations) == (4, 1, 1, 2)


def test_listed_gifts_entries_and_pauses(ledger: LedgerOnChain) -> None:
    anna, bela, cleo = fans(3)
    leaves = [Web3.keccak(Web3.keccak(bytes.fromhex(who.address[2:]).rjust(32, b"\0"))) for who in (bela, cleo)]
    root = bytes(Web3.keccak(b"".join(sorted(map(bytes, leaves)))))
    ledger.create_event(gift_root=root, entries=2)
    ledger.create_event(entries=255)
    ledger.issue(3)
    ledger.issue(3, event=2)
    ledger.deliver((ticket(0), anna))
    ledger.deliver((ticket(0, event=2), anna))
    line = (ticket(0), 1, bela.address, False, FAR)
    consent = ledger.sign(anna, "Gift", id=ticket(0), epoch=1, to=bela.address, custodied=False, deadline=FAR)
    ledger.call(ledger.relayer, "giftListed", line, consent, [leaves[1]])
    ledger.call(ledger.relayer, "pause", 1, "rain")
    for _ in range(3):
        ledger.redeem(ticket(0))
        ledger.redeem(ticket(0, event=2))
    ledger.sleep(DAY)
    ledger.redeem(ticket(0, event=2))
    report = audited(ledger)
    assert (report.events[0].status, report.events[1].status) == ("paused", "live")
    assert (report.counts.redemptions, report.counts.skipped) == (4, 3)
    ledger.call(ledger.relayer, "resume", 1, "sun")
    assert audited(ledger).events[0].status == "live"


def test_a_sale_for_tokens_its_escrow_and_a_cancellation(ledger: LedgerOnChain) -> None:
    anna, bela = fans(2)
    token = token_on(ledger)
    ledger.call(ledger.admin, "allowToken", token.address, True)
    for event in (1, 2):
        ledger.create_event(token=token.address, cap_bps=10_000)
        ledger.issue(3, event=event)
    ledger.send(anna, token.functions.mint(anna.address, 4 * FACE * 10_000))
    ledger.send(anna, token.functions.approve(ledger.address, 4 * FACE * 10_000))
    for id_ in (ticket(0), ticket(1), ticket(0, event=2)):
        ledger.buy(id_, anna, FACE)
    (money,) = audited(ledger).money
    assert (money.primary, money.escrow) == (3 * FACE, 3 * FACE * 10_000)
    ledger.give(ticket(0), anna, bela)
    ledger.deliver((ticket(2), bela), price=0)
    ledger.call(ledger.relayer, "cancel", 1, "storm")
    ledger.call(bela, "refundCancelled", 1, [ticket(0), ticket(1), ticket(2)])
    ledger.sleep(3_601)
    ledger.call(ledger.venue, "releaseEscrow", 2)
    message = {"account": bela.address, "token": token.address, "to": anna.address, "nonce": 0, "deadline": FAR}
    ledger.call(
        ledger.relayer,
        "claimFor",
        bela.address,
        token.address,
        anna.address,
        FAR,
        ledger.sign(bela, "Claim", **message),
    )
    ledger.call(ledger.organizer, "claim", token.address)
    report = audited(ledger)
    (money,) = report.money
    assert (money.escrow, money.escrow_released, money.refunded) == (0, FACE * 10_000, 2 * FACE)
    assert report.counts.purchases == 3 and money.token != NOBODY
