"""The auditor on a real chain: an honest ledger agrees, and a ledger or a node that lies is convicted."""

import json
from collections.abc import Iterator

import pytest
import typer
from eth_account import Account
from typer.testing import CliRunner
from web3.contract import Contract

from tests.audit.histories import ticket
from tests.audit.ledger import FACE, FAR, GATE, NOBODY, LedgerOnChain
from tests.audit.tokens import token_on
from tests.support.anvil import BIG_BLOCKS, FREE_GAS, running_anvil
from ticketchain.artifacts import load
from ticketchain.audit import CouldNotRead, Report, audit_ledger
from ticketchain.cli.audit import audit


@pytest.fixture(scope="module")
def chain() -> Iterator[str]:
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        yield url


@pytest.fixture(scope="module")
def told(chain: str) -> LedgerOnChain:
    """An honest ledger with a whole story."""
    artifact = load("TicketLedger")
    ledger = LedgerOnChain(chain, artifact.abi, artifact.bytecode, load("TicketDesk").bytecode)
    tell(ledger)
    return ledger


def tell(ledger: LedgerOnChain) -> None:
    """Ten tickets: sold, given, resold, used, refunded, voided, with a few attempts that the ledger refuses."""
    fans = [Account.create() for _ in range(8)]
    ledger.create_event()
    ledger.issue(8)
    ledger.issue(2, number=1, supply_class=3)
    ledger.call(ledger.organizer, "setRoles", 1, ledger.gate.address, GATE)
    ledger.call(ledger.organizer, "setEntryKey", 1, 0, b"k" * 32, 1 << 33)
    ledger.deliver(*((ticket(place), fans[place]) for place in range(4)))
    ledger.deliver((ticket(4), fans[4]), (ticket(4), fans[5]), (ticket(0, batch=1), fans[5]), custodied=True)
    ledger.give(ticket(0), fans[0], fans[6])
    ledger.give(ticket(4), fans[4], fans[7], custodied=True)
    ledger.call(fans[6], "transferFrom", fans[6].address, fans[1].address, ticket(0))
    ledger.settle(ticket(1), fans[1], fans[5], 5_500)
    ledger.settle(ticket(2), fans[2], fans[5], 5_501)
    ledger.settle(ticket(4), fans[7], fans[6], 123)
    ledger.revoke(ticket(2), fans[2])
    ledger.refund(ticket(2), fans[2], 4_000)
    ledger.deliver((ticket(2), fans[0]), price=4_500)
    ledger.void(ticket(3))
    ledger.redeem(ticket(0), ticket(1), gate=ledger.gate)
    ledger.redeem(ticket(1), ticket(4))
    ledger.release()


def test_a_token_event_agrees_with_its_credits(chain: str) -> None:
    artifact = load("TicketLedger")
    ledger = LedgerOnChain(chain, artifact.abi, artifact.bytecode, load("TicketDesk").bytecode)
    token = token_on(ledger)
    seller, buyer = Account.create(), Account.create()
    ledger.call(ledger.admin, "allowToken", token.address, True)
    ledger.create_event(token=token.address, cap_bps=10_000)
    ledger.issue(3)
    ledger.deliver((ticket(0), seller), price=0)
    ledger.send(buyer, token.functions.mint(buyer.address, FACE * 10_000))
    ledger.send(buyer, token.functions.approve(ledger.address, FACE * 10_000))
    offer = ledger.offer(ticket(0), seller, 4_000, token=token.address)
    ledger.call(buyer, "buyResale", ticket(0), 1, 4_000, NOBODY, FAR, offer)
    ledger.release()
    ledger.call(seller, "claim", token.address)

    report = audit_ledger(chain, ledger.address, signatures=True)
    assert report.findings == ()
    (money,) = report.money
    assert (money.token, money.resale, money.royalties) == (token.address.lower(), 4_000, 500)
    assert (money.sellers, money.released) == (3_500, 500 * 10_000)

    _drain(ledger, token)
    assert rules(audit_ledger(chain, ledger.address)) == {"insolvent"}


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_an_honest_ledger_agrees(told: LedgerOnChain) -> None:
    stages: list[tuple[str, int, int]] = []
    report = audit_ledger(told.url, told.address, signatures=True, progress=lambda *stage: stages.append(stage))
    assert report.findings == ()
    assert (report.compared, report.signatures) == (10, 13)
    counted = report.counts
    assert (counted.events, counted.batches, counted.issued, counted.skipped) == (1, 2, 10, 3)
    assert (counted.in_stock, counted.held, counted.redeemed, counted.void) == (4, 2, 3, 1)
    assert (counted.deliveries, counted.gifts, counted.resales, counted.refunds) == (7, 3, 2, 1)
    (money,) = report.money
    assert (money.primary, money.resale, money.refunded) == (6 * FACE + 4_500, 5_623, 4_000)
    assert (money.royalties, money.released, money.sellers) == (550 + 123, 550 + 123, 4_950)
    assert report.events[0].supply_by_class == {0: 8, 3: 2}
    assert {stage for stage, _, _ in stages} == {"blocks", "views", "signatures"}


def test_an_older_block_is_audited_as_it_was(told: LedgerOnChain) -> None:
    report = audit_ledger(told.url, told.address, from_block=told.deployed_at, to_block=told.deployed_at + 8)
    assert report.agrees
    assert (report.counts.deliveries, report.counts.redeemed, report.compared) == (4, 0, 10)


def test_a_start_after_the_deployment_is_refused(told: LedgerOnChain) -> None:
    with pytest.raises(CouldNotRead, match="existed at block"):
        audit_ledger(told.url, told.address, from_block=told.deployed_at + 1)


@pytest.mark.parametrize(
    ("url", "ledger", "message"),
    [
        ("ftp://example", "0x" + "11" * 20, "must start with http"),
        ("http://127.0.0.1:1", "0x" + "11" * 20, "No answer to eth_chainId"),
        (None, "0x11", "must be 0x and 40"),
        (None, "0x" + "11" * 20, "There is no contract"),
    ],
)
def test_what_can_not_be_read_is_one_sentence(chain: str, url: str | None, ledger: str, message: str) -> None:
    with pytest.raises(CouldNotRead, match=message) as caught:
        audit_ledger(url or chain, ledger)
    assert "\n" not in str(caught.value)


def test_a_ticket_moved_behind_the_logs_is_found(told: LedgerOnChain) -> None:
    """Storage overwritten in place of a back door: the logs say one holder, the contract another."""
    place, word = _ticket_slot(told, ticket(2))
    thief = word & ~((1 << 160) - 1) | 0xBAD
    _store(told, place, thief)
    try:
        report = audit_ledger(told.url, told.address)
    finally:
        _store(told, place, word)
    assert rules(report) == {"state_differs"}
    assert {finding.ticket_id for finding in report.findings} == {ticket(2)}


def test_the_command_has_three_exit_codes(told: LedgerOnChain) -> None:
    app = typer.Typer()
    app.command()(audit)
    runner = CliRunner()

    good = runner.invoke(app, ["--rpc", told.url, "--ledger", told.address])
    assert good.exit_code == 0, good.output
    assert "Every claim agrees: 10 tickets" in good.output

    place, word = _ticket_slot(told, ticket(2))
    _store(told, place, word | 1 << 160)
    try:
        bad = runner.invoke(app, ["--rpc", told.url, "--ledger", told.address, "--json"])
    finally:
        _store(told, place, word)
    assert bad.exit_code == 1
    report = json.loads(bad.stdout)
    assert report["agrees"] is False
    assert {finding["ticket_id"] for finding in report["findings"]} == {str(ticket(2))}

    blind = runner.invoke(app, ["--rpc", "http://127.0.0.1:1", "--ledger", told.address])
    assert blind.exit_code == 2
    assert blind.output.startswith("audit: No answer")


def _drain(ledger: LedgerOnChain, token: Contract) -> None:
    """Take one unit from the ledger, as a thief with its key would."""
    provider = ledger.web3.provider
    provider.make_request("anvil_impersonateAccount", [ledger.address])  # type: ignore[arg-type]
    gas = {"from": ledger.address, "gas": 100_000, "gasPrice": 0}
    transaction = token.functions.transfer(ledger.admin.address, 1).transact(gas)  # type: ignore[arg-type]
    assert ledger.web3.eth.wait_for_transaction_receipt(transaction)["status"] == 1


def _ticket_slot(ledger: LedgerOnChain, id_: int) -> tuple[str, int]:
    """Where the contract keeps a ticket's word, found by looking."""
    word = int(ledger.contract.functions.ticketWordOf(id_).call())
    for slot in range(32):
        place = ledger.web3.keccak(id_.to_bytes(32, "big") + slot.to_bytes(32, "big"))
        if int.from_bytes(ledger.web3.eth.get_storage_at(ledger.address, int(place.hex(), 16)), "big") == word:
            return place.to_0x_hex(), word
    raise AssertionError("no mapping of tickets found")


def _store(ledger: LedgerOnChain, place: str, word: int) -> None:
    """Overwrite a slot, and mine a block to have it in."""
    provider = ledger.web3.provider
    provider.make_request("anvil_setStorageAt", [ledger.address, place, f"0x{word:064x}"])  # type: ignore[arg-type]
    provider.make_request("evm_mine", [])  # type: ignore[arg-type]
