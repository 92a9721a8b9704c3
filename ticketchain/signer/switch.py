"""The kill switch: while it is off nothing is signed, made, enrolled or dropped. It is thrown beside the vault, by
whoever may write there, and holds over restarts.
"""

from __future__ import annotations

from ticketchain.domain.errors import SignerStopped
from ticketchain.signer.vault import Entry


def refuse_while_stopped(entry: Entry) -> None:
    """Raises `SignerStopped`, saying why."""
    stopped, reason = entry.db.execute("SELECT stopped, reason FROM switch").fetchone()
    if stopped:
        raise SignerStopped(f"the signer was stopped: {reason}; `ticketchain signer resume` lets it sign again")


def stop(entry: Entry, reason: str) -> None:
    """Nothing is signed from now on."""
    entry.db.execute("UPDATE switch SET stopped = 1, reason = ?", (reason,))
    entry.note("stopped", "switch", reason=reason)


def resume(entry: Entry) -> None:
    """The signer works again."""
    entry.db.execute("UPDATE switch SET stopped = 0, reason = ''")
    entry.note("resumed", "switch")


def stopped(entry: Entry) -> str | None:
    """Why it is stopped; None when it works."""
    off, reason = entry.db.execute("SELECT stopped, reason FROM switch").fetchone()
    return str(reason) if off else None
