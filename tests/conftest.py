"""Plumbing for all tests."""

import os
import sys

import eth_account  # noqa: F401

# eth_account imports py_ecc, which sets the recursion limit to 100,000: on Python 3.11 deeply nested JSON then
# overflows the C stack and ends the process instead of raising RecursionError. The service resets it where it
# is wired; tests that use single parts get the same here.
sys.setrecursionlimit(1_000)

# The signer's desk in the test's own process; what is started as a program has a signer of its own (`cli/program.py`).
os.environ["TICKETCHAIN_SIGNER_PROCESS"] = "false"
