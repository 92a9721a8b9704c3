"""The stage for Brownie's tests, and a way round a defect of its wheels."""

import importlib.machinery
import importlib.util
from pathlib import Path

import brownie.test
import pytest
from brownie import run
from brownie.test import fixtures, stateful


def _interpreted(compiled):
    """The module from the source beside it.

    Compiled by mypyc, Brownie 1.22.2's `stateful` refuses its own state machines: they are made by `type()` at run
    time, and so are not of the native class that its checks ask for.
    """
    loader = importlib.machinery.SourceFileLoader(
        "brownie_stateful", str(Path(compiled.__file__).with_name("stateful.py"))
    )
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


_STATEFUL = _interpreted(stateful)
brownie.test.state_machine = fixtures.state_machine = _STATEFUL.state_machine
fixtures._BrownieStateMachine = _STATEFUL._BrownieStateMachine


@pytest.fixture(scope="module")
def stage():
    """A deployed ledger with an event on sale; see `brownie/scripts/stage.py`."""
    return run("stage", "build")
