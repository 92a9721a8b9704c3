"""The runbook's commands are there, with the options that it gives them; operators read it at night."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from scripts.contracts import ROOT
from ticketchain.cli import COMMANDS, load
from ticketchain.settings import Settings

PAGE = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
LINES = sorted(set(re.findall(r"^ *(ticketchain [^#\n]+?) *(?:#.*)?$", PAGE, re.MULTILINE)))


def command_of(line: str) -> tuple[Any, list[str]]:
    """The command that a line runs, and its arguments."""
    _, name, *rest = shlex.split(line)
    assert name in COMMANDS, line
    command = load(name)
    while rest and rest[0] in (below := getattr(command, "commands", {})):
        command, rest = below[rest[0]], rest[1:]
    return command, rest


def test_the_page_has_commands() -> None:
    assert len(LINES) > 10


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_runbook_exists(line: str) -> None:
    command, arguments = command_of(line)
    assert not hasattr(command, "commands"), f"{line}: which command of these?"
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= known
    command.make_context("runbook", [word.replace("…", "00") for word in arguments])  # usage errors are raised


def test_every_setting_of_the_runbook_exists() -> None:
    named = set(re.findall(r"TICKETCHAIN_([A-Z_]+)", PAGE))
    assert named <= {name.upper() for name in Settings.model_fields}
