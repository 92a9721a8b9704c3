"""Help is quick and complete."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ticketchain
from ticketchain.cli import COMMANDS


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = ticketchain("--help", folder=tmp_path)
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(name: str, tmp_path: Path) -> None:
    shown = ticketchain(name, "--help", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "--help" in shown.stdout


def test_help_loads_no_part_of_the_service() -> None:
    heavy = ("web3", "fastapi", "sqlalchemy", "uvicorn", "eth_account")
    code = f"import sys, ticketchain.cli; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_an_unknown_command_is_wrong_usage(tmp_path: Path) -> None:
    shown = ticketchain("isue", folder=tmp_path)
    assert shown.returncode == 2
    assert "issue" in shown.stderr
