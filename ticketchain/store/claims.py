"""Statements by which signers share the pending intents: each claims those that it is going to send, so that no two
work on the same, and gives them up when it is stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, exists, or_, select, update

from ticketchain.domain.intents import IN_ORDER, Deliver, Settle
from ticketchain.domain.ledgers import first_event
from ticketchain.domain.policy import EventStatus
from ticketchain.store import schema as shop
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx

SALES = (Deliver.kind, Settle.kind)
"""Kinds that a paused event's ledger does not take."""

_INTENT = t.outbox.c
_BRIEF = (_INTENT.id, _INTENT.kind, _INTENT.event_number, _INTENT.signer, _INTENT.tries, _INTENT.created_at)


def free_intents(tx: Tx, ledger: int, signer: str, limit: int) -> list[Row[Any]]:
    """The oldest pending intents that a signer may send, without what is in them: what it or nobody has claimed.

    Of kinds that must be done in order, the next of an event waits until the one before is in a block. Sales of an
    event that is paused wait until it goes on.
    """
    earlier = t.outbox.alias()
    same = and_(earlier.c.kind == _INTENT.kind, earlier.c.event_number == _INTENT.event_number)
    before = and_(same, earlier.c.state.in_(("pending", "sent")), earlier.c.id < _INTENT.id)
    ready = or_(_INTENT.kind.not_in(IN_ORDER), ~exists().where(before))
    paused = exists().where(shop.events.c.number == _INTENT.event_number, shop.events.c.status == EventStatus.PAUSED)
    ready = and_(ready, or_(_INTENT.kind.not_in(SALES), ~paused))
    here = _INTENT.event_number.between(first_event(ledger), first_event(ledger + 1) - 1)
    free = or_(_INTENT.signer.is_(None), _INTENT.signer == signer)
    query = select(*_BRIEF).where(_INTENT.state == "pending", free, here, ready)
    return list(tx.execute(query.order_by(_INTENT.id).limit(limit)))


def claim(tx: Tx, signer: str, ids: Sequence[int]) -> list[Row[Any]]:
    """Claims those of these intents that are still free, and gives them whole, oldest first.

    What another signer is claiming at this moment is left to it (PostgreSQL does not wait; SQLite has one writer).
    """
    free = and_(_INTENT.state == "pending", or_(_INTENT.signer.is_(None), _INTENT.signer == signer))
    still = select(_INTENT.id).where(_INTENT.id.in_(ids), free).with_for_update(skip_locked=True).cte("still_free")
    query = update(t.outbox).where(_INTENT.id.in_(select(still.c.id)), free).values(signer=signer)
    return sorted(tx.execute(query.returning(*_INTENT)), key=lambda row: int(row.id))


def give_up(tx: Tx, signer: str) -> int:
    """Gives up all claims of a signer whose intents are in no transaction; returns how many."""
    query = update(t.outbox).where(_INTENT.signer == signer, _INTENT.state == "pending")
    return tx.execute(query.values(signer=None)).rowcount


def take(tx: Tx, signer: str, ids: Sequence[int], transaction_id: int) -> int:
    """Puts intents that a signer claimed into its transaction; returns how many were still its own and pending."""
    query = update(t.outbox).where(_INTENT.id.in_(ids), _INTENT.state == "pending", _INTENT.signer == signer)
    return tx.execute(query.values(state="sent", transaction_id=transaction_id)).rowcount


def stick(tx: Tx, intent_id: int, before: str, problem: Mapping[str, Any]) -> bool:
    """An intent waits for an operator; False when it was no longer in the state named."""
    query = update(t.outbox).where(_INTENT.id == intent_id, _INTENT.state == before)
    values = {"state": "stuck", "signer": None, "transaction_id": None, "problem": dict(problem)}
    return tx.execute(query.values(values)).rowcount == 1


def release(tx: Tx, intent_id: int, tries: int) -> None:
    """An intent whose transaction did nothing, for ever, is pending again for any signer."""
    query = update(t.outbox).where(_INTENT.id == intent_id, _INTENT.state == "sent")
    tx.execute(query.values(state="pending", signer=None, transaction_id=None, tries=tries))


def failed(tx: Tx, ledger: int, final: int) -> list[Row[Any]]:
    """Intents whose transaction did nothing and is in a final block: it reverted, or a filler took its place.

    Each with `filler`, which is true where no signed version with the intent itself was mined.
    """
    tx_, attempt = t.transactions.c, t.attempts.c
    nothing = or_(tx_.succeeded.is_(False), attempt.filler.is_(True))
    query = (
        select(
            _INTENT.id, _INTENT.key, _INTENT.tries, tx_.nonce, tx_.signer, attempt.filler.is_not(False).label("filler")
        )
        .join(t.transactions, _INTENT.transaction_id == tx_.id)
        .outerjoin(t.attempts, attempt.hash == tx_.mined_hash)
        .where(_INTENT.state == "sent", tx_.ledger == ledger, tx_.block_number <= final, nothing)
    )
    return list(tx.execute(query.order_by(_INTENT.id)))


def retry(tx: Tx, ids: Sequence[int]) -> list[int]:
    """Stuck intents among these are pending again, as if never tried; returns their ids."""
    query = update(t.outbox).where(_INTENT.id.in_(ids), _INTENT.state == "stuck").returning(_INTENT.id)
    return sorted(tx.execute(query.values(state="pending", tries=0, problem=None)).scalars())
