"""A ledger compiled with its rules taken out: the contract lets everything pass, the auditor convicts it."""

from collections.abc import Iterator

import pytest
from eth_account import Account

from scripts import contracts
from tests.audit.histories import ticket
from tests.audit.ledger import FACE, LedgerOnChain
from tests.audit.tokens import token_on
from tests.support.anvil import BIG_BLOCKS, FREE_GAS, running_anvil
from ticketchain.audit import audit_ledger

LEDGER, DESK, _ = contracts.CONTRACTS
FAULTS = {
    "no cap": ("base/Rules.sol", "return price <= _resaleCapOf(word, policy, cap);", "return true;"),
    "use forgotten": ("TicketLedger.sol", "word.redeemed()", "word"),
    "remainder kept": ("parts/MoneyOffice.sol", "i == payees.length - 1 ? rest :", ""),
    "anybody attests": ("base/Consents.sol", "signer == address(0) || !_hasRole(LEDGER, signer, ATTESTOR)", "false"),
    "nobody is asked": ("base/Consents.sol", "_signerOf(digest, consent) == holder &&", ""),
    "more back than paid": ("parts/HolderDesk.sol", "if (amount > most)", "if (false)"),
    "promises forgotten": ("TicketLedger.sol", "if (batch.supply > left)", "if (false)"),
    "paused events sell": ("TicketLedger.sol", "bulk.open = bulk.policy.isLive();", "bulk.open = true;"),
    "no time for a veto": ("parts/DisputeDesk.sol", "if (block.timestamp < announced.readyAt)", "if (false)"),
    "activated ones move": (
        "types/TicketWord.sol",
        "uint256(REDEEMED | VOID | ACTIVATED | FROZEN)",
        "uint256(REDEEMED)",
    ),
    "swaps are sales": ("parts/ExchangeDesk.sol", "if (face != otherFace)", "if (false)"),
    "any wallet is one's own": ("parts/HolderDesk.sol", "&& owner.since <= word.since()", ""),
    "no holder limit": ("base/Rules.sol", "return _holdings[eventId][account] >= limit;", "return false;"),
    "escrow at once": ("parts/MoneyOffice.sol", "if (block.timestamp < escrow.releaseAt)", "if (false)"),
    "refunds of live events": (
        "parts/MoneyOffice.sol",
        "if (!policy.isCancelled()) revert Ledger_WrongStatus",
        "if (false) revert Ledger_WrongStatus",
    ),
    "stock at any price": ("base/Rules.sol", "if (payment.price() > bulk.batch.face()) return false;", ""),
    "more back than face": ("parts/MoneyOffice.sol", "return paid < face ? paid : face;", "return paid;"),
    "disputes go on": ("parts/DisputeDesk.sol", "if (_disputes[id][ref] != Dispute.None)", "if (false)"),
    "disputes end each other": ("parts/DisputeDesk.sol", "|| _disputes[id][ref] != Dispute.Open", ""),
    "locks told again": ("parts/DisputeDesk.sol", "if (!word.isStopped()) emit", "emit"),
    "thaws not told": ("parts/DisputeDesk.sol", "if (!next.isStopped()) emit IERC5192.Unlocked(id);", ""),
    "identities change": ("parts/HolderDesk.sol", "if (_identities[id][epoch] != 0)", "if (false)"),
}
"""What is wrong: source file, the rule in it, and what stands there instead."""


def broken_bytecode(source: str, abi: list[object]) -> str:
    """A part of the ledger with all faults, compiled; its ABI goes into `abi`. Compiled as fast as can be: the code is
    another one anyway, and larger than a chain takes unless it is told to.
    """
    standard_input = contracts.compiler_input(source)
    standard_input["settings"] |= {"viaIR": False, "optimizer": {"enabled": False}}
    for unit, right, wrong in FAULTS.values():
        if (place := standard_input["sources"].get(f"contracts/src/{unit}")) is not None:
            place["content"] = place["content"].replace(right, wrong)
    artifact = contracts.compile_artifact(source, standard_input)
    abi += artifact["abi"]
    return str(artifact["bytecode"])


def test_each_faults_place_is_in_the_sources() -> None:
    for name, (unit, right, _) in FAULTS.items():
        assert (contracts.ROOT / "contracts" / "src" / unit).read_text().count(right) == 1, f"{name!r} has no place"


@pytest.fixture(scope="module")
def broken() -> Iterator[LedgerOnChain]:
    abi: list[object] = []
    bytecode, desk = broken_bytecode(LEDGER, abi), broken_bytecode(DESK, [])
    with running_anvil(*FREE_GAS, *BIG_BLOCKS, "--disable-code-size-limit") as url:
        yield LedgerOnChain(url, abi, bytecode, desk)  # type: ignore[arg-type]


@pytest.mark.timeout(300)
def test_every_fault_is_named(broken: LedgerOnChain) -> None:
    fans = [Account.create() for _ in range(6)]
    broken.create_event()
    broken.issue(10)
    broken.deliver(*((ticket(place), fans[place]) for place in range(5)))
    broken.settle(ticket(0), fans[0], fans[5], 2 * FACE)
    broken.settle(ticket(1), fans[1], fans[5], 9)
    broken.redeem(ticket(0))
    broken.redeem(ticket(0))
    broken.refund(ticket(2), fans[2], FACE + 1)
    broken.release()
    broken.deliver((ticket(6), fans[5]), attestor=fans[0])
    broken.give(ticket(3), fans[5], fans[0])
    broken.issue(1_000, number=1)
    broken.agreed("activate", "Activate", ticket(4), fans[4])
    broken.give(ticket(4), fans[4], fans[0])
    broken.call(broken.relayer, "pause", 1, "rain")
    broken.deliver((ticket(7), fans[0]))

    report = audit_ledger(broken.url, broken.address, signatures=True)
    found = {(finding.rule, finding.ticket_id) for finding in report.findings if finding.event_id in (None, 1)}
    assert found == {
        ("code_differs", None),
        ("over_cap", ticket(0)),
        ("redeemed_twice", ticket(0)),
        ("state_differs", ticket(0)),
        ("release_split", None),
        ("over_refund", ticket(2)),
        ("not_attested", ticket(6)),
        ("not_consented", ticket(3)),
        ("over_supply", None),
        ("moved_while_stopped", ticket(4)),
        ("not_on_sale", ticket(7)),
    }


def next_event(broken: LedgerOnChain) -> int:
    """Number of the next event: those of other tests may be there already."""
    number = 1
    while broken.contract.functions.batchesOf(number).call():
        number += 1
    return number


@pytest.mark.timeout(300)
def test_every_fault_of_a_rarer_move_is_named(broken: LedgerOnChain) -> None:
    anna, bela, wallet = (Account.create() for _ in range(3))
    event = next_event(broken)
    tokens = event + 1

    def id_(place: int, batch: int = 0) -> int:
        return ticket(place, batch=batch, event=event)

    broken.create_event(reissue=True, holder_limit=2)
    broken.issue(10, event=event)
    broken.issue(10, event=event, number=1, face=2 * FACE)
    broken.deliver((id_(0), anna), (id_(1), anna), custodied=True)
    broken.deliver((id_(2), anna), (id_(0, batch=1), bela))
    broken.swap((id_(2), anna), (id_(0, batch=1), bela))
    broken.sleep(1)
    broken.register(anna, wallet)
    broken.agreed("withdraw", "Withdraw", id_(0), anna, to=wallet.address)
    broken.call(broken.relayer, "announceReissue", id_(1), 1, bela.address, False)
    broken.call(broken.relayer, "reissue", id_(1))
    broken.call(anna, "refundCancelled", event, [id_(2)])

    token = token_on(broken)
    broken.call(broken.admin, "allowToken", token.address, True)
    broken.create_event(token=token.address, cap_bps=10_000)
    broken.issue(3, event=tokens)
    broken.send(anna, token.functions.mint(anna.address, FACE * 10_000))
    broken.send(anna, token.functions.approve(broken.address, FACE * 10_000))
    broken.buy(ticket(0, event=tokens), anna, FACE)
    broken.call(bela, "releaseEscrow", tokens)

    report = audit_ledger(broken.url, broken.address, signatures=True)
    found = {(finding.rule, finding.ticket_id) for finding in report.findings if finding.event_id in (event, tokens)}
    assert found == {
        ("holder_limit", id_(2)),
        ("unequal_swap", id_(2)),
        ("uncounted_move", id_(0)),
        ("bad_reissue", id_(1)),
        ("cancelled_refund", id_(2)),
        ("escrow_release", None),
    }


@pytest.mark.timeout(300)
def test_every_fault_about_disputes_face_and_wallets_is_named(broken: LedgerOnChain) -> None:
    anna, wallet, bela = (Account.create() for _ in range(3))
    event = next_event(broken)
    ids = [ticket(place, event=event) for place in range(8)]
    broken.create_event(identity=True, holder_limit=4)
    broken.issue(10, event=event)
    broken.register(anna, wallet)
    broken.deliver((ids[0], anna), custodied=True)
    broken.deliver(*((id_, wallet) for id_ in ids[1:5]))
    broken.agreed("withdraw", "Withdraw", ids[0], anna, to=wallet.address)
    broken.unfreeze(ids[1], dispute := broken.freeze(ids[1], 1))
    broken.freeze(ids[1], 1, dispute)
    broken.freeze(ids[2], 1)
    broken.unfreeze(ids[2], broken.reference())
    for commitment in (b"1" * 32, b"2" * 32):
        broken.agreed("commitIdentity", "Identity", ids[3], wallet, commitment=commitment)
    broken.deliver((ids[5], bela), price=FACE + 1)
    broken.deliver((ids[6], bela))
    broken.agreed("activate", "Activate", ids[6], bela)
    broken.freeze(ids[6], 1)
    broken.settle(ids[4], wallet, bela, 5_500)
    broken.refund(ids[3], wallet, FACE)
    broken.attestor, attestor = bela, broken.attestor
    broken.refunds_paid(0, FACE, event=event)
    broken.attestor = attestor
    broken.call(broken.relayer, "cancel", event, "storm")
    broken.call(bela, "refundCancelled", event, [ids[4]])

    report = audit_ledger(broken.url, broken.address, signatures=True)
    found = {(finding.rule, finding.ticket_id) for finding in report.findings if finding.event_id == event}
    assert found == {
        ("holder_limit", ids[0]),
        ("bad_dispute", ids[1]),
        ("bad_dispute", ids[2]),
        ("lock_untold", ids[1]),
        ("locked_differs", ids[1]),
        ("lock_untold", ids[2]),
        ("locked_differs", ids[6]),
        ("bad_identity", ids[3]),
        ("over_face", ids[5]),
        ("cancelled_refund", ids[4]),
        ("not_attested", None),
    }
