"""The table of docs/roles.md is what the code says; roles have what they need and no more."""

from __future__ import annotations

from pathlib import Path

from ticketchain.domain.roles import MEANS, OF_ORGANIZERS, SCOPES, Role

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"


def table() -> dict[str, frozenset[str]]:
    """Scopes by role, as the page shows them."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith(("| scope", "| `"))
    ]
    roles, body = rows[0][2:], rows[1:]
    assert {row[0].strip("`"): row[1] for row in body} == MEANS
    return {role: frozenset(row[0].strip("`") for row in body if row[2 + at] == "●") for at, role in enumerate(roles)}


def test_the_page_shows_what_the_code_says() -> None:
    assert table() == SCOPES


def test_every_scope_is_somebodys_and_is_explained() -> None:
    assert frozenset().union(*SCOPES.values()) == MEANS.keys()


def test_a_manager_does_all_but_keys_members_money_and_the_log() -> None:
    kept = {"keys:write", "members:write", "money:write", "log:read"}
    assert SCOPES[Role.OWNER] - SCOPES[Role.MANAGER] == kept


def test_nobody_in_an_organization_is_stronger_than_its_owner() -> None:
    assert all(SCOPES[role] <= SCOPES[Role.OWNER] for role in OF_ORGANIZERS)
    assert SCOPES[Role.GATE_STEWARD] < SCOPES[Role.GATE_SUPERVISOR] < SCOPES[Role.MANAGER] < SCOPES[Role.OWNER]


def test_the_operator_has_nothing_to_say_in_an_organizers_business() -> None:
    shared = SCOPES[Role.OPERATOR] & SCOPES[Role.OWNER]
    assert shared == {"stops:write", "log:read", "ledger:read"}
