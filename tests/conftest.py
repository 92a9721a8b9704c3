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

FIRST = "test_chaos.py"
"""It takes longest, and wants the cores beside modules that are one process each."""

FORM = frozenset(
    {
        "test_bad_input.py",
        "test_docs.py",
        "test_health.py",
        "test_misuse.py",
        "test_page.py",
        "test_pages.py",
        "test_payment_page.py",
        "test_problems.py",
        "test_providers.py",
        "test_sandbox.py",
        "test_scopes.py",
        "test_seat_plans.py",
        "test_settlement.py",
    }
)
"""Modules about what HTTP looks like: one database is enough. What they ask of it, others ask of both."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest module first; tests of one module stay together, in their order."""
    twice = [item for item in items if item.path.name in FORM and "postgresql" in item.name]
    config.hook.pytest_deselected(items=twice)
    left = set(items) - set(twice)
    items[:] = sorted((item for item in items if item in left), key=lambda item: item.path.name != FIRST)
