"""The locks name no addresses, the lint configuration agrees with them, and `make help` tells the truth."""

import json
import re
import subprocess
import tomllib

import pytest

from scripts.contracts import ROOT
from scripts.lock import TOOLS

TOOL_LOCKS = [f"{tool}.txt" for tool in TOOLS]
PYTHON_LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-build.txt", *TOOL_LOCKS]
ADDRESS = re.compile(
    r"[a-z][a-z+.]*://|--(?:extra-)?index-url|--find-links|\b(?:pypi|npmjs|yarnpkg|pythonhosted)\.\w+"
    r"|\bfile:|/(?:home|root|work|tmp|opt)/|localhost",
    re.IGNORECASE,
)
REQUIREMENT = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;]+)", re.MULTILINE)


@pytest.mark.parametrize("name", [*PYTHON_LOCKS, "package-lock.json"])
def test_locks_name_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    found = [line for line in text.splitlines() if ADDRESS.search(line)]
    assert found == []
    assert '"resolved"' not in text


def test_every_locked_package_has_a_hash() -> None:
    for name in PYTHON_LOCKS:
        blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text().strip())
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_the_locks_agree() -> None:
    developers = set(REQUIREMENT.findall((ROOT / "requirements-dev.txt").read_text()))
    for name in ("requirements.txt", "requirements-build.txt"):
        assert set(REQUIREMENT.findall((ROOT / name).read_text())) <= developers


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {name for name, _ in REQUIREMENT.findall((ROOT / "requirements.txt").read_text())}
    wanted = {re.split(r"[\[<>=]", dependency)[0] for dependency in project["dependencies"]}
    assert wanted <= locked


def test_make_help_names_real_targets() -> None:
    answer = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^  make ([a-z-]+) +\S", answer, re.MULTILINE)
    assert {"demo", "test", "test-browser", "setup", "up", "check", "contracts", "bench"} <= set(targets)
    for target in targets:
        dry = ["make", "--dry-run", target]
        assert subprocess.run(dry, cwd=ROOT, capture_output=True, check=False).returncode == 0, target


def test_the_documented_commands_are_plain_files_in_git() -> None:
    listed = subprocess.run(["git", "ls-files", "-s", ".ci/run", "scripts/solc.js"], cwd=ROOT, capture_output=True)
    modes = [line.split()[0] for line in listed.stdout.decode().splitlines()]
    assert modes == ["100755", "100755"]
