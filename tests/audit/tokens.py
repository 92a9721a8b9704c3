"""An ERC-20 for tests of the token rail, compiled once."""

from functools import cache
from typing import Any

from web3.contract import Contract

from scripts import contracts
from tests.audit.ledger import LedgerOnChain


@cache
def _compiled() -> dict[str, Any]:
    source = "contracts/test/mocks/MockToken.sol"
    return contracts.compile_artifact(source, contracts.compiler_input(source))


def token_on(ledger: LedgerOnChain) -> Contract:
    """A fresh token on the ledger's chain."""
    compiled = _compiled()
    draft = ledger.web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    address = ledger.send(ledger.admin, draft.constructor())["contractAddress"]
    assert address
    return ledger.web3.eth.contract(address=address, abi=compiled["abi"])
