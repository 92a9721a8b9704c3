"""Statements on intents for the chain, the transactions that carry them and every signed version of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from ticketchain.domain.blocks import Mined
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx, insert_all_new, insert_new

_NEW = {"state": "pending", "tries": 0}
_INTENT, _TX, _ATTEMPT = t.outbox.c, t.transactions.c, t.attempts.c


def add_intent(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Writes an intent for the chain; False when the same one (by key) was written before."""
    return insert_new(tx, t.outbox, dict(values) | _NEW)


def add_intents(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes many intents for the chain, but for those (by key) that were written before."""
    insert_all_new(tx, t.outbox, [dict(values) | _NEW for values in rows])


def payload(tx: Tx, key: str) -> dict[str, Any] | None:
    """What was written under this key, if anything was."""
    found: dict[str, Any] | None = tx.execute(select(_INTENT.payload).where(_INTENT.key == key)).scalar_one_or_none()
    return found


def next_intents(tx: Tx, limit: int) -> list[Row[Any]]:
    """The oldest pending intent and those after it that can share its transaction: same kind, same event.

    A batch waits while another batch of its event is under way, since the ledger takes them in order.
    """
    issuing = select(_TX.event_number).where(_TX.kind == "issue", _TX.block_number.is_(None))
    ready = (_INTENT.kind != "issue") | _INTENT.event_number.not_in(issuing)
    pending = select(t.outbox).where(_INTENT.state == "pending", ready).order_by(_INTENT.id)
    first = tx.execute(pending.limit(1)).one_or_none()
    if first is None:
        return []
    same = pending.where(_INTENT.kind == first.kind, _INTENT.event_number == first.event_number)
    return list(tx.execute(same.limit(limit)))


def take_intents(tx: Tx, ids: Sequence[int], transaction_id: int) -> int:
    """Puts pending intents into a transaction; returns how many were still pending."""
    query = update(t.outbox).where(_INTENT.id.in_(ids), _INTENT.state == "pending")
    return tx.execute(query.values(state="sent", transaction_id=transaction_id)).rowcount


def refuse_intent(tx: Tx, intent_id: int, before: str, problem: Mapping[str, Any]) -> bool:
    """Sets an intent aside with the ledger's reason; False when it was no longer in the state named."""
    query = update(t.outbox).where(_INTENT.id == intent_id, _INTENT.state == before)
    return tx.execute(query.values(state="refused", problem=dict(problem))).rowcount == 1


def intents_of(tx: Tx, transaction_ids: Sequence[int]) -> list[Row[Any]]:
    """The intents that these transactions carry, in order."""
    query = select(t.outbox).where(_INTENT.transaction_id.in_(transaction_ids)).order_by(_INTENT.id)
    return list(tx.execute(query))


def finish_intents(tx: Tx, transaction_ids: Sequence[int], before: str, after: str) -> None:
    """Moves the intents of these transactions from one state to the next (done at head, sent again after a reorg)."""
    query = update(t.outbox).where(_INTENT.transaction_id.in_(transaction_ids), _INTENT.state == before)
    tx.execute(query.values(state=after))


def release_intents(tx: Tx, transaction_id: int) -> None:
    """Takes the intents out of a transaction that the ledger reverted: they are pending again."""
    query = update(t.outbox).where(_INTENT.transaction_id == transaction_id, _INTENT.state == "sent")
    tx.execute(query.values(state="pending", transaction_id=None))


def next_nonce(tx: Tx, signer: str) -> int | None:
    """The nonce after the highest one used for a signer; None when there is none yet."""
    highest = tx.execute(select(func.max(_TX.nonce)).where(_TX.signer == signer)).scalar_one()
    return None if highest is None else int(highest) + 1


def add_transaction(tx: Tx, values: Mapping[str, Any]) -> int:
    """Stores a transaction; its nonce is unique per signer."""
    return int(tx.execute(insert(t.transactions).values(dict(values)).returning(_TX.id)).scalar_one())


def add_attempt(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a signed version of a transaction before it is sent."""
    tx.execute(insert(t.attempts).values(dict(values)))


def set_sent(tx: Tx, hashes: Sequence[bytes], now: datetime) -> None:
    """Notes that the node took these signed versions."""
    tx.execute(update(t.attempts).where(_ATTEMPT.hash.in_(hashes)).values(sent_at=now))


def unsigned(tx: Tx, signer: str) -> list[Row[Any]]:
    """Transactions that have a nonce and no signed version yet, by nonce."""
    query = select(t.transactions).outerjoin(t.attempts).where(_TX.signer == signer, _ATTEMPT.hash.is_(None))
    return list(tx.execute(query.order_by(_TX.nonce)))


def unsettled(tx: Tx, signer: str) -> list[Row[Any]]:
    """Newest signed version of every transaction that is in no block we follow, by nonce."""
    query = (
        select(_TX.id, _TX.nonce, _ATTEMPT.hash, _ATTEMPT.raw, _ATTEMPT.sent_at)
        .join(t.attempts, _ATTEMPT.transaction_id == _TX.id)
        .where(_TX.signer == signer, _TX.block_number.is_(None))
        .order_by(_TX.nonce, _ATTEMPT.sent_at)
    )
    newest: dict[int, Any] = {row.nonce: row for row in tx.execute(query)}
    return list(newest.values())


def unsettled_hashes(tx: Tx, ledger: int) -> list[bytes]:
    """Every signed version of every transaction to a ledger that is in no block we follow."""
    query = select(_ATTEMPT.hash).join(t.transactions, _ATTEMPT.transaction_id == _TX.id)
    return list(tx.execute(query.where(_TX.ledger == ledger, _TX.block_number.is_(None))).scalars())


def transactions_with(tx: Tx, hashes: Sequence[bytes]) -> list[Row[Any]]:
    """Our transactions among these hashes."""
    query = select(_TX.id, _ATTEMPT.hash, _TX.kind).join(t.attempts, _ATTEMPT.transaction_id == _TX.id)
    found: list[Row[Any]] = []
    for start in range(0, len(hashes), 500):
        found += tx.execute(query.where(_ATTEMPT.hash.in_(hashes[start : start + 500])))
    return found


def set_mined(tx: Tx, transaction_id: int, block: int, mined: Mined) -> None:
    """Notes the block that a transaction is in, and which of its signed versions that was."""
    values = {"block_number": block, "tx_index": mined.index, "mined_hash": mined.hash, "succeeded": mined.succeeded}
    tx.execute(update(t.transactions).where(_TX.id == transaction_id).values(values))


def forget_mined(tx: Tx, ledger: int, after_block: int) -> list[int]:
    """Takes back the blocks of transactions above `after_block`; returns their ids."""
    query = update(t.transactions).where(_TX.ledger == ledger, _TX.block_number > after_block)
    nowhere = {"block_number": None, "tx_index": None, "mined_hash": None, "succeeded": None}
    return list(tx.execute(query.values(nowhere).returning(_TX.id)).scalars())


def mined_after(tx: Tx, block: int) -> list[Row[Any]]:
    """Raw transactions in blocks above `block`, in their order, with the block's time."""
    same_block = (t.blocks.c.ledger == _TX.ledger) & (t.blocks.c.number == _TX.block_number)
    query = (
        select(_ATTEMPT.raw, _TX.block_number, _TX.tx_index, t.blocks.c.timestamp)
        .join(t.attempts, _ATTEMPT.hash == _TX.mined_hash)
        .join(t.blocks, same_block)
        .where(_TX.block_number > block)
        .order_by(_TX.block_number, _TX.tx_index)
    )
    return list(tx.execute(query))


def problem_of(tx: Tx, key: str) -> str | None:
    """Why the ledger refused the intent with this key, in words; None when it did not."""
    problem = tx.execute(select(_INTENT.problem).where(_INTENT.key == key, _INTENT.state == "refused")).scalar()
    return None if problem is None else str(problem["detail"])


def counts(tx: Tx) -> dict[str, int]:
    """Number of intents by state."""
    query = select(_INTENT.state, func.count()).group_by(_INTENT.state)
    return {state: count for state, count in tx.execute(query)}
