"""The life of an order: the drawing in docs/orders.md is the table of steps, and one statement takes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path

import pytest

from ticketchain.domain.errors import Conflict
from ticketchain.domain.orders import STEPS, UNPAID, DisputeState, LineState, OrderState, state_of_paid, step

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "orders.md").read_text("utf-8")
EVERY = set(product(OrderState, repeat=2))


def drawn(page: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Steps as the page draws them (all within a box for each pair in it), and the arrows that stand in the box."""
    found = re.search(r"```mermaid\n(.*?)```", page, flags=re.DOTALL)
    assert found
    box = re.search(
        r"state \"[^\"]*each of these may follow each other one\" as \w+ \{(.*?)\}", found[1], flags=re.DOTALL
    )
    assert box
    usual = set(re.findall(r"(\w+) --> (\w+)", box[1]))
    outside = set(re.findall(r"(\w+) --> (\w+)", found[1].replace(box[0], "")))
    within = {state for arrow in usual for state in arrow}
    return outside | set(permutations(within, 2)), usual


def test_the_drawing_is_the_table() -> None:
    table = {(str(now), str(then)) for now, afters in STEPS.items() for then in afters}
    steps, usual = drawn(PAGE)
    assert steps == table and usual < table


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("    expired --> paid: late, but its seats were still free\n", ""),
        ("        disputed --> delivered\n", "        expired --> delivered\n"),
        ("    [*] --> created\n", "    [*] --> created\n    paid --> expired\n"),
    ],
)
def test_another_drawing_is_not(line: str, instead: str) -> None:
    assert line in PAGE
    table = {(str(now), str(then)) for now, afters in STEPS.items() for then in afters}
    assert drawn(PAGE.replace(line, instead))[0] != table


def test_only_the_steps_of_the_table_are_taken() -> None:
    for now, then in EVERY:
        if now == then or then in STEPS[now]:
            assert step(now, then) == then
        else:
            with pytest.raises(Conflict, match=f"from {now} to {then}"):
                step(now, then)


def test_a_paid_order_never_becomes_unpaid_again() -> None:
    for now in set(OrderState) - set(UNPAID):
        assert not STEPS[now] & set(UNPAID)
    for lines in product(LineState, repeat=3):
        for disputes in product(DisputeState, repeat=2):
            state = state_of_paid(lines, disputes)
            assert state not in UNPAID
            assert {state_of_paid(x, disputes[::-1]) for x in permutations(lines)} == {state}  # no order matters


def writers_of_order_states(folder: Path) -> Iterator[str]:
    """Functions that update the column `state` of the orders table."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for statement in re.split(r"(?=\bupdate\()", ast.unparse(node)):
                    if re.match(r"update\((t\.)?orders\)", statement) and re.search(_SETS_STATE, statement):
                        yield f"{file.stem}.{node.name}"


_SETS_STATE = r"\.values\([^)]*\bstate\b"


def test_one_statement_changes_the_state_of_orders(tmp_path: Path) -> None:
    assert list(writers_of_order_states(ROOT / "ticketchain")) == ["orders.to_state"]
    assert list(writers_of_order_states(ROOT / "api")) == []
    (tmp_path / "sly.py").write_text("def f(tx):\n    tx.execute(update(t.orders).values(state='paid'))\n")
    assert list(writers_of_order_states(tmp_path)) == ["sly.f"]
