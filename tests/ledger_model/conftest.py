"""How long the model's tests run, and what only the long run does.

`python -m pytest tests/ledger_model --steps 1000000 --faults`: the options are known if this folder is named.
"""

import pytest

CI_STEPS = 30_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--steps", type=int, default=CI_STEPS, help="steps of the random histories of ledger and model")
    parser.addoption("--faults", action="store_true", help="compile faulty ledgers as well: the model must notice")


@pytest.fixture(scope="session")
def steps(pytestconfig: pytest.Config) -> int:
    """Steps that the differential test runs, at least."""
    return int(pytestconfig.getoption("steps", default=CI_STEPS))


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> bool:
    """Whether faulty ledgers are compiled as well."""
    return bool(pytestconfig.getoption("faults", default=False))
