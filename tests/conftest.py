"""Plumbing for all tests."""

import os
import sys

import eth_account  # noqa: F401
import pytest

# eth_account imports py_ecc, which sets the recursion limit to 100,000: on Python 3.11 deeply nested JSON then
# overflows the C stack and ends the process instead of raising RecursionError. The service resets it where it
# is wired; tests that use single parts get the same here.
sys.setrecursionlimit(1_000)

# The signer's desk in the test's own process; what is started as a program has a signer of its own (`cli/program.py`).
os.environ["TICKETCHAIN_SIGNER_PROCESS"] = "false"

LONGEST = (
    "service/test_chaos.py",
    "demo/test_demo.py",
    "service/test_kill9.py",
    "cli/test_remote.py",
    "service/test_replicas.py",
    "ledger_model/test_differential.py",
    "service/test_crashes.py",
    "service/test_stock.py",
    "ledger_model/test_fold.py",
    "service/test_main_job.py",
    "chain/test_embedded.py",
    "cli/test_up.py",
    "api/test_fuzz.py",
    "toolchain/test_gas_snapshot.py",
    "audit/test_broken_ledger.py",
    "signer/test_process.py",
    "people/test_canary.py",
)
"""Modules that take long: they are begun first, so that no process waits for another at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one module stay together, in their order."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get("/".join(item.path.parts[-2:]), len(rank)))
