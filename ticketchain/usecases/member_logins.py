"""Log-ins of those who work for an organization, and failed ones, in the access log of each of theirs. Those of fans
are not in it: their sessions are theirs to see.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ticketchain.domain.errors import Unauthenticated
from ticketchain.store import members
from ticketchain.store.engine import Tx
from ticketchain.usecases import access
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts

STRANGER = Principal("unknown", "unknown")
"""Who fails to show who it is."""


def note_login(parts: Parts, tx: Tx, session_id: str, person_id: str, method: str) -> None:
    """A session of a person began."""
    who = Principal(session_id, "member", person_id=person_id)
    for organizer_id in _works_for(parts, tx, person_id):
        access.record(parts, tx, who, "session.begin", session_id, method, organizer_id)


@contextmanager
def noting_failures(parts: Parts, person_id: str | None, method: str) -> Iterator[None]:
    """Notes when somebody fails to show that it is this person. Outside of transactions."""
    try:
        yield
    except Unauthenticated:
        with parts.store.begin() as tx:  # also for nobody: who fails shall not see from the time that there is somebody
            for organizer_id in _works_for(parts, tx, person_id or ""):
                access.record(parts, tx, STRANGER, "session.refuse", person_id or "", method, organizer_id)
        raise


def _works_for(parts: Parts, tx: Tx, person_id: str) -> list[str]:
    rows = members.of_person(tx, person_id, parts.clock())
    return [row.organizer_id for row in rows if row.accepted_at is not None]
