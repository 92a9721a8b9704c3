"""Roles and the scopes they have: of API keys, and of the members of an organization. Each route names the one scope
that it needs. docs/roles.md shows this table; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Who an API key stands for, or as what a person is a member of an organization."""

    OPERATOR = "operator"
    OWNER = "owner"
    MANAGER = "manager"
    BOX_OFFICE = "box-office"
    GATE_SUPERVISOR = "gate-supervisor"
    GATE_STEWARD = "gate-steward"
    AUDITOR = "auditor"
    PARTNER = "partner"
    FAN = "fan"


_EVENING = frozenset({"events:write", "batches:write", "sales:write", "stops:write"})
_TILL = frozenset({"orders:sell", "refunds:write"})
_DOOR = frozenset({"gate:scan", "gate:read"})
_HOUSE = frozenset({"keys:write", "members:write", "money:write"})
_BOOKS = frozenset({"books:read"})
_LOG = frozenset({"log:read"})
_PEOPLE = frozenset({"people:read"})
_LEDGER = frozenset({"ledger:read"})

SCOPES: dict[Role, frozenset[str]] = {
    Role.OPERATOR: frozenset({"organizers:write", "stops:write", "metrics:read"}) | _LOG | _LEDGER,
    Role.OWNER: _EVENING | _TILL | _DOOR | _HOUSE | _BOOKS | _LOG | _PEOPLE | _LEDGER,
    Role.MANAGER: _EVENING | _TILL | _DOOR | _BOOKS | _PEOPLE | _LEDGER,
    Role.BOX_OFFICE: frozenset({"batches:write"}) | _TILL | _BOOKS | _PEOPLE | _LEDGER,
    Role.GATE_SUPERVISOR: _DOOR | _LEDGER,
    Role.GATE_STEWARD: frozenset({"gate:scan"}) | _LEDGER,
    Role.AUDITOR: _BOOKS | _LOG | _LEDGER,
    Role.PARTNER: frozenset({"orders:sell"}) | _LEDGER,
    Role.FAN: frozenset({"orders:write", "tickets:write", "account:write"}) | _LEDGER,
}
"""Scopes by role: the least each needs for its work."""

MEANS: dict[str, str] = {
    "organizers:write": "register organizers and their first key",
    "metrics:read": "read the service's numbers",
    "events:write": "create events, move, pause, close and cancel them",
    "batches:write": "issue tickets",
    "sales:write": "sale windows, promotions, vouchers, allotments, seat plans",
    "stops:write": "stop sales and let them go on",
    "orders:sell": "sell at a till or as a partner",
    "refunds:write": "take tickets back, hand money out",
    "gate:scan": "scan entry codes, count the scans",
    "gate:read": "look up what became of a ticket at the gates",
    "keys:write": "make, change over and end API keys",
    "members:write": "invite members, change their roles, remove them",
    "money:write": "release royalties to their payees",
    "books:read": "read books, settlements and reconciliations",
    "log:read": "read the access log",
    "people:read": "see who somebody is, for a purpose; each reading is logged",
    "ledger:read": "look up accounts by their id",
    "orders:write": "hold seats and order them",
    "account:write": "see and change one's own account and sessions",
    "tickets:write": "see, give, list, return, exchange and open one's own tickets",
}
"""What each scope lets one do."""

OF_ORGANIZERS = tuple(role for role in Role if role not in (Role.OPERATOR, Role.FAN))
"""Roles within an organization, the strongest first."""

OF_PEOPLE = tuple(role for role in OF_ORGANIZERS if role != Role.PARTNER)
"""Roles that a member can have: a partner is another company's program, it has an API key."""
