"""A ledger compiled with its rules taken out: the contract lets everything pass, the auditor convicts it."""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account

from scripts import contracts
from tests.audit.histories import ticket
from tests.audit.ledger import FACE, LedgerOnChain
from tests.support.anvil import BIG_BLOCKS, FREE_GAS, running_anvil
from ticketchain.audit import audit_ledger

SOURCE = "contracts/src/TicketLedger.sol"
FAULTS = {
    "no cap": ("contracts/src/base/Rules.sol", "price > cap", "price > cap && false"),
    "use forgotten": (SOURCE, "word.redeemed()", "word"),
    "remainder kept": ("contracts/src/base/Treasury.sol", "i == payees.length - 1 ? rest :", ""),
    "anybody attests": ("contracts/src/base/Consents.sol", "if (!signed) revert", "if (!signed && false) revert"),
    "nobody is asked": ("contracts/src/base/Consents.sol", "signer == holder", "signer != address(0)"),
    "more back than paid": (SOURCE, "if (amount > most)", "if (false)"),
}
"""What is wrong: source file, the rule in it, and what stands there instead."""


def broken_artifact() -> dict[str, Any]:
    """The ledger with all faults, compiled. Fails if a fault's place is no longer in the sources."""
    standard_input = contracts.compiler_input(SOURCE)
    for name, (unit, right, wrong) in FAULTS.items():
        text = standard_input["sources"][unit]["content"]
        assert right in text, f"the place of the fault {name!r} has changed"
        standard_input["sources"][unit]["content"] = text.replace(right, wrong)
    return contracts.compile_artifact(SOURCE, standard_input)


@pytest.fixture(scope="module")
def broken() -> Iterator[LedgerOnChain]:
    artifact = broken_artifact()
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        yield LedgerOnChain(url, artifact["abi"], artifact["bytecode"])


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

    report = audit_ledger(broken.url, broken.address, signatures=True)
    found = {(finding.rule, finding.ticket_id) for finding in report.findings}
    assert found == {
        ("code_differs", None),
        ("over_cap", ticket(0)),
        ("redeemed_twice", ticket(0)),
        ("state_differs", ticket(0)),
        ("release_split", None),
        ("over_refund", ticket(2)),
        ("not_attested", ticket(6)),
        ("not_consented", ticket(3)),
    }
