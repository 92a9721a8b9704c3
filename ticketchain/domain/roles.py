"""Roles of API keys and the scopes they have. Each route names the one scope it needs."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Who an API key stands for."""

    OPERATOR = "operator"
    OWNER = "owner"
    BOX_OFFICE = "box-office"
    PARTNER = "partner"
    GATE = "gate"
    AUDITOR = "auditor"
    FAN = "fan"


SCOPES: dict[Role, frozenset[str]] = {
    Role.OPERATOR: frozenset({"organizers:write", "stops:write", "ledger:read", "metrics:read"}),
    Role.OWNER: frozenset(
        {
            "events:write",
            "batches:write",
            "sales:write",
            "stops:write",
            "orders:sell",
            "refunds:write",
            "keys:write",
            "gate:scan",
            "books:read",
            "ledger:read",
        }
    ),
    Role.BOX_OFFICE: frozenset({"batches:write", "orders:sell", "refunds:write", "books:read", "ledger:read"}),
    Role.PARTNER: frozenset({"orders:sell", "ledger:read"}),
    Role.GATE: frozenset({"gate:scan", "ledger:read"}),
    Role.AUDITOR: frozenset({"books:read", "ledger:read"}),
    Role.FAN: frozenset({"orders:write", "tickets:write", "ledger:read"}),
}
"""Scopes by role: the least each needs for its work."""
