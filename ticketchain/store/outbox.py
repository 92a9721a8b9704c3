"""Statements on intents for the chain, the transactions that carry them and every signed version of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update

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


def states(tx: Tx, keys: Sequence[str]) -> dict[str, str]:
    """The states of intents by key, of those that were written."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), 500):
        query = select(_INTENT.key, _INTENT.state).where(_INTENT.key.in_(keys[start : start + 500]))
        found |= {key: state for key, state in tx.execute(query)}
    return found


def is_under_way(tx: Tx, kind: str, event_number: int) -> bool:
    """Whether an intent of a kind about an event is neither done nor refused."""
    live = select(_INTENT.id).where(_INTENT.state.in_(("pending", "sent", "stuck")), _INTENT.kind == kind)
    return tx.execute(live.where(_INTENT.event_number == event_number).limit(1)).first() is not None


def end_intent(tx: Tx, intent_id: int, before: str, after: str, problem: Mapping[str, Any] | None) -> bool:
    """Ends an intent as done, or as refused with the reason; False when it was no longer in the state named."""
    query = update(t.outbox).where(_INTENT.id == intent_id, _INTENT.state == before)
    return tx.execute(query.values(state=after, problem=problem)).rowcount == 1


def refuse(tx: Tx, keys: Sequence[str], problem: Mapping[str, Any]) -> None:
    """Ends the intents with these keys as refused, wherever they are on their way."""
    query = update(t.outbox).where(_INTENT.key.in_(keys), _INTENT.state.in_(("pending", "sent", "stuck")))
    tx.execute(query.values(state="refused", signer=None, problem=dict(problem)))


def refuse_unsent(tx: Tx, keys: Sequence[str], problem: Mapping[str, Any]) -> list[str]:
    """Ends the intents with these keys that no transaction carries yet; returns their keys."""
    query = update(t.outbox).where(_INTENT.key.in_(keys), _INTENT.state == "pending")
    return list(tx.execute(query.values(state="refused", problem=dict(problem)).returning(_INTENT.key)).scalars())


def intents_of(tx: Tx, transaction_ids: Sequence[int]) -> list[Row[Any]]:
    """The intents that these transactions carry, in order."""
    query = select(t.outbox).where(_INTENT.transaction_id.in_(transaction_ids)).order_by(_INTENT.id)
    return list(tx.execute(query))


def traces(tx: Tx, transaction_ids: Sequence[int]) -> dict[int, list[str]]:
    """Ids of the requests that the intents in these transactions come from."""
    query = select(_INTENT.transaction_id, _INTENT.trace).where(_INTENT.transaction_id.in_(transaction_ids)).distinct()
    found: dict[int, list[str]] = {number: [] for number in transaction_ids}
    for row in tx.execute(query.where(_INTENT.trace.is_not(None)).order_by(_INTENT.trace)):
        found[row.transaction_id].append(row.trace)
    return found


def finish_intents(tx: Tx, transaction_ids: Sequence[int], before: str, after: str) -> None:
    """Moves the intents of these transactions from one state to the next (done at head, sent again after a reorg)."""
    query = update(t.outbox).where(_INTENT.transaction_id.in_(transaction_ids), _INTENT.state == before)
    tx.execute(query.values(state=after))


def next_nonce(tx: Tx, signer: str) -> int | None:
    """The nonce after the highest one used for a signer; None when there is none yet."""
    highest = tx.execute(select(func.max(_TX.nonce)).where(_TX.signer == signer)).scalar_one()
    return None if highest is None else int(highest) + 1


def add_transaction(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Stores a transaction; None when its signer's nonce has one already."""
    if not insert_new(tx, t.transactions, values):
        return None
    return transaction_of(tx, values["signer"], values["nonce"])


def add_attempt(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a signed version of a transaction before it is sent; the very same one may be there already."""
    insert_new(tx, t.attempts, values)


def set_sent(tx: Tx, hashes: Sequence[bytes], now: datetime) -> None:
    """Notes that the node took these signed versions."""
    tx.execute(update(t.attempts).where(_ATTEMPT.hash.in_(hashes)).values(sent_at=now))


def under_way(tx: Tx, signer: str, ledger: int | None = None) -> list[Row[Any]]:
    """A signer's transactions (to one ledger, or to all) that are in no block we follow, by nonce.

    Each with its newest signed version, `hash` null where there is none yet. The bytes: see `raws`, `transaction`.
    """
    query = (
        select(_TX.id, _TX.nonce, _ATTEMPT.hash, _ATTEMPT.sent_at, _ATTEMPT.created_at, _ATTEMPT.filler)
        .add_columns(_ATTEMPT.max_fee, _ATTEMPT.priority_fee)
        .outerjoin(t.attempts, _ATTEMPT.transaction_id == _TX.id)
        .where(_TX.block_number.is_(None), _TX.signer == signer, *([] if ledger is None else [_TX.ledger == ledger]))
        .order_by(_TX.nonce, _ATTEMPT.created_at)
    )
    newest = {row.nonce: row for row in tx.execute(query)}
    return list(newest.values())


def raws(tx: Tx, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    """The bytes of signed versions."""
    query = select(_ATTEMPT.hash, _ATTEMPT.raw).where(_ATTEMPT.hash.in_(hashes))
    return {row.hash: row.raw for row in tx.execute(query)}


def attempts(tx: Tx, transaction_id: int) -> list[bytes]:
    """Hashes of all signed versions of a transaction."""
    return list(tx.execute(select(_ATTEMPT.hash).where(_ATTEMPT.transaction_id == transaction_id)).scalars())


def transaction_of(tx: Tx, signer: str, nonce: int) -> int | None:
    """The transaction that has a signer's nonce."""
    return tx.execute(select(_TX.id).where(_TX.signer == signer, _TX.nonce == nonce)).scalar_one_or_none()


def transaction(tx: Tx, transaction_id: int) -> Row[Any]:
    """A transaction with its call."""
    return tx.execute(select(t.transactions).where(_TX.id == transaction_id)).one()


def unsettled_hashes(tx: Tx, ledger: int) -> list[bytes]:
    """Every signed version of every transaction to a ledger that was seen in no block we follow, also of those that
    count as failed because something else seemed to have used their nonce.
    """
    query = select(_ATTEMPT.hash).join(t.transactions, _ATTEMPT.transaction_id == _TX.id)
    return list(tx.execute(query.where(_TX.ledger == ledger, _TX.mined_hash.is_(None))).scalars())


def transactions_with(tx: Tx, hashes: Sequence[bytes]) -> list[Row[Any]]:
    """Our transactions among these hashes."""
    query = select(_TX.id, _ATTEMPT.hash, _TX.kind, _ATTEMPT.filler).join(t.attempts, _ATTEMPT.transaction_id == _TX.id)
    found: list[Row[Any]] = []
    for start in range(0, len(hashes), 500):
        found += tx.execute(query.where(_ATTEMPT.hash.in_(hashes[start : start + 500])))
    return found


def set_mined(tx: Tx, transaction_id: int, block: int, mined: Mined) -> None:
    """Notes the block that a transaction is in, and which of its signed versions that was."""
    values = {"block_number": block, "tx_index": mined.index, "mined_hash": mined.hash, "succeeded": mined.succeeded}
    tx.execute(update(t.transactions).where(_TX.id == transaction_id).values(values))


def set_failed(tx: Tx, transaction_id: int, block: int) -> None:
    """Notes that a transaction did nothing and never will, as known since a block, unless it is seen in one yet."""
    query = update(t.transactions).where(_TX.id == transaction_id, _TX.block_number.is_(None))
    tx.execute(query.values(block_number=block, succeeded=False))


def forget_mined(tx: Tx, ledger: int, after_block: int) -> list[int]:
    """Takes back the blocks of transactions above `after_block`, which are sent again at once; returns their ids."""
    query = update(t.transactions).where(_TX.ledger == ledger, _TX.block_number > after_block)
    nowhere = {"block_number": None, "tx_index": None, "mined_hash": None, "succeeded": None}
    ids = list(tx.execute(query.values(nowhere).returning(_TX.id)).scalars())
    tx.execute(update(t.attempts).where(_ATTEMPT.transaction_id.in_(ids)).values(sent_at=None))
    return ids


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


def listing(tx: Tx, states: Sequence[str], limit: int) -> list[Row[Any]]:
    """The oldest intents in these states, each with the nonce and the number of versions of its transaction."""
    versions = select(func.count()).where(_ATTEMPT.transaction_id == _INTENT.transaction_id).scalar_subquery()
    query = select(t.outbox, _TX.nonce, versions.label("attempts")).outerjoin(t.transactions)
    return list(tx.execute(query.where(_INTENT.state.in_(states)).order_by(_INTENT.id).limit(limit)))


def counts(tx: Tx) -> dict[str, int]:
    """Number of intents by state."""
    query = select(_INTENT.state, func.count()).group_by(_INTENT.state)
    return {state: count for state, count in tx.execute(query)}
