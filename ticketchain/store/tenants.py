"""For whom transactions are: an organizer's see its own rows only (`store.wall`), those of fans, of workers and of the
operator are as ever.
"""

from __future__ import annotations

from contextvars import ContextVar

from sqlalchemy import Connection, text

ROLE = "ticketchain_tenant"
"""PostgreSQL's role that organizers' transactions take on until they end."""

SETTING = "ticketchain.organizer"
"""PostgreSQL's setting that says whose they are."""

_TENANT: ContextVar[str | None] = ContextVar("tenant", default=None)
_ENTER = text(f"SELECT set_config('role', '{ROLE}', true), set_config('{SETTING}', :organizer, true)")


def set_tenant(organizer_id: str | None) -> None:
    """From here on, in this context, transactions are this organizer's; None: nobody's in particular."""
    _TENANT.set(organizer_id)


def tenant() -> str | None:
    """The organizer whose transactions these are."""
    return _TENANT.get()


def enter(tx: Connection, organizer_id: str) -> None:
    """Puts a transaction of PostgreSQL behind the wall until it ends."""
    tx.execute(_ENTER, {"organizer": organizer_id})
