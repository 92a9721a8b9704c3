"""What an operator sees of the way to the chain, and does when something on it is stuck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ticketchain.domain.errors import Conflict, NotFound
from ticketchain.store import claims, outbox, signers
from ticketchain.usecases.parts import Parts

STATES = ("pending", "sent", "done", "refused", "stuck")
"""Of an intent: `refused` = the ledger would not take it, its people were told; `stuck` = an operator has to look."""

_OPEN = ("pending", "sent", "stuck")


def list_intents(parts: Parts, state: str | None, limit: int) -> list[dict[str, Any]]:
    """The oldest intents in a state; without one, those that are neither done nor refused. Ages are in seconds."""
    with parts.store.read() as tx:
        rows = outbox.listing(tx, [state] if state else _OPEN, limit)
    now = parts.clock()
    return [_intent(row, (now - row.created_at).total_seconds()) for row in rows]


def _intent(row: Any, age: float) -> dict[str, Any]:
    names = ("id", "key", "kind", "state", "signer", "tries", "trace", "nonce", "attempts")
    view = {name: getattr(row, name) for name in names}
    problem = row.problem["detail"] if row.problem else None
    return view | {"event": row.event_number, "age_s": round(age, 1), "problem": problem}


def list_signers(parts: Parts) -> list[dict[str, Any]]:
    """The relayers that have sent from here, with what the node last said of them."""
    with parts.store.read() as tx:
        rows = signers.signers(tx)
        waiting = {row.address: len(outbox.under_way(tx, row.address)) for row in rows}
    return [
        {
            "address": row.address,
            "stopped_at": row.stopped_at.isoformat() if row.stopped_at else None,
            "reason": row.reason,
            "nonce": row.nonce,
            "balance_wei": row.balance,
            "under_way": waiting[row.address],
            "checked_at": row.checked_at.isoformat() if row.checked_at else None,
        }
        for row in rows
    ]


def retry(parts: Parts, ids: Sequence[int]) -> list[int]:
    """Lets stuck intents be sent again; returns their ids. Raises `NotFound` when one is not stuck: then none is."""
    with parts.store.begin() as tx:
        done = claims.retry(tx, ids)
        if wrong := sorted(set(ids) - set(done)):
            raise NotFound(
                f"not stuck: {', '.join(map(str, wrong))}; `ticketchain outbox list --state stuck` shows which are"
            )
    return done


def resume(parts: Parts, address: str) -> None:
    """Lets a stopped signer go on. Raises `NotFound`, `Conflict` when it is not stopped."""
    with parts.store.begin() as tx:
        if signers.signer(tx, address) is None:
            raise NotFound(
                f"no signer {address} has sent from here; `ticketchain outbox signers` lists those that have"
            )
        if not signers.resume(tx, address):
            raise Conflict(f"{address} is not stopped")
