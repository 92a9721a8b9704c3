"""How long the model's tests run: `--steps N`, and what only the long run does."""

import pytest

CI_STEPS = 30_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--steps", type=int, default=CI_STEPS, help="steps of the random histories of ledger and model")
    parser.addoption("--faults", action="store_true", help="compile faulty ledgers as well: the model must notice")


@pytest.fixture(scope="session")
def steps(pytestconfig: pytest.Config) -> int:
    """Steps that the differential test runs, at least."""
    return int(pytestconfig.getoption("steps"))
