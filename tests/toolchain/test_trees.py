"""The contract's tests are laid out in trees (given, when, it), one beside each test file, and every tree is true.

A leaf is what a test shows, with the test's name in brackets:

    └── it should revert with Ledger_Cooldown [test_RevertWhen_Cooldown]
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "contracts/test"
ERRORS = ROOT / "contracts/src/interfaces/ILedgerErrors.sol"

# Bases without tests; invariants are listed, with where each is checked, in invariant/README.md.
TREELESS = {"Base.t.sol", "Invariants.t.sol"}

LINE = re.compile(r"(?P<indent>(?:│   |    )*)(?:├── |└── )(?P<kind>given|when|it) (?P<text>.+)")
LEAF = re.compile(r".+ \[(?P<test>\w+)\]")
TEST = re.compile(r"^    function ((?:test|testFuzz)_\w+)\(", re.MULTILINE)
CONTRACT = re.compile(r"^contract (\w+Test) ", re.MULTILINE)

SOURCES = sorted(path for path in TESTS.rglob("*.t.sol") if path.name not in TREELESS)


@dataclass(frozen=True)
class Tree:
    """A parsed tree: its root's name, the tests of its leaves in order, and what is wrong with its form."""

    root: str
    tests: list[str]
    wrong: list[str]


def parse(text: str) -> Tree:
    """Read a tree; leaves are `it`, and only branches (`given`, `when`) have something below them."""
    root, *lines = text.splitlines()
    tests, wrong = [], []
    depth, branch = 0, True
    for number, line in enumerate(lines, start=2):
        match = LINE.fullmatch(line)
        if match is None:
            wrong.append(f"line {number} is no branch of a tree: {line}")
            continue
        below = len(match["indent"]) // 4 + 1
        if below > depth + (1 if branch else 0):
            wrong.append(f"line {number} hangs below nothing: {line}")
        if branch and below <= depth:
            wrong.append(f"line {number - 1} has nothing below it")
        depth, branch = below, match["kind"] != "it"
        leaf = LEAF.fullmatch(match["text"])
        if branch == (leaf is not None):
            wrong.append(f"line {number}: leaves, and only leaves, are `it ... [test]`: {line}")
        if leaf is not None:
            tests.append(leaf["test"])
    if branch:
        wrong.append("the last line has nothing below it")
    return Tree(root, tests, wrong)


def tree_of(source: Path) -> Tree:
    """The tree beside a test file."""
    return parse(source.with_name(source.name.replace(".t.sol", ".tree")).read_text())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_tree_and_tests_agree_in_order(source: Path) -> None:
    tree = tree_of(source)
    text = source.read_text()
    assert tree.wrong == []
    assert tree.root == CONTRACT.findall(text)[-1]
    assert tree.tests == TEST.findall(text)


def test_no_tree_is_left_without_its_tests() -> None:
    assert sorted(TESTS.rglob("*.tree")) == [path.with_name(path.name.replace(".t.sol", ".tree")) for path in SOURCES]


def test_every_error_of_the_ledger_is_in_some_tree() -> None:
    errors = set(re.findall(r"error (Ledger_\w+)\(", ERRORS.read_text()))
    leaves = "\n".join(path.read_text() for path in TESTS.rglob("*.tree"))
    assert len(errors) > 50
    assert errors - set(re.findall(r"Ledger_\w+", leaves)) == set()


def test_a_tree_that_says_otherwise_is_noticed() -> None:
    tree = parse(
        "GiftTest\n├── when late\n│   └── it should revert [test_RevertWhen_Late]\n└── it should move [test_Gift]\n"
    )
    assert tree == Tree("GiftTest", ["test_RevertWhen_Late", "test_Gift"], [])
    for broken in (
        "GiftTest\n└── it should move\n",
        "GiftTest\n└── when late\n    └── when later\n",
        "GiftTest\n│   └── it should move [test_Gift]\n",
        "GiftTest\n├── when late\n└── it should move [test_Gift]\n",
        "GiftTest\nit should move [test_Gift]\n",
    ):
        assert parse(broken).wrong
