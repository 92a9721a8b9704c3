"""The kill switch: while it is off nothing is signed, made, enrolled or dropped. It is thrown beside the vault, by
whoever may write there, and holds over restarts.
"""

from __future__ import annotations

from datetime import timedelta

from ticketchain.domain.errors import SignerStopped
from ticketchain.domain.proofs import LogHead
from ticketchain.signer import holds, log
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


def check_log(entry: Entry, published: LogHead, hold: timedelta) -> bool:
    """Whether the log has a row that was published. If not, an older vault was put back, which has forgotten holds,
    dropped devices and counts: the signer stops, once for each such head, and all moves are on hold.
    """
    if log.has(entry.db, published):
        return True
    (lost,) = entry.db.execute("SELECT lost FROM switch").fetchone()
    if lost != published.hash:
        stop(entry, f"its log has lost row {published.seq}, which was published: an older vault was put back")
        entry.db.execute("UPDATE switch SET lost = ?", (published.hash,))
        holds.begin(entry, holds.EVERYBODY, "an older vault of the signer's was put back", hold)
    return False
