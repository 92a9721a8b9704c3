"""Statements on published heads of the logs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, String, cast, literal, select, update

from ticketchain.domain.anchors import Head
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_chain import attempts, outbox, transactions
from ticketchain.store.schema_people import anchors as table

_A = table.c


def last(tx: Tx) -> Row[Any] | None:
    """The newest."""
    return tx.execute(select(table).order_by(_A.number.desc()).limit(1)).one_or_none()


def add(tx: Tx, number: int, signer: Head, access: Head, now: datetime) -> bool:
    """Stores heads that are about to be published; False when another process was quicker."""
    values = {"number": number, "signer_seq": signer.seq, "signer_hash": signer.hash}
    values |= {"access_seq": access.seq, "access_hash": access.hash, "created_at": now, "checked_at": now}
    return insert_new(tx, table, values)


def set_checked(tx: Tx, number: int, now: datetime) -> None:
    """Notes that the logs had nothing newer than these heads."""
    tx.execute(update(table).where(_A.number == number).values(checked_at=now))


def published(tx: Tx, limit: int) -> list[Row[Any]]:
    """The newest that are in a block we follow, each with signer, hash and block of its transaction; oldest first."""
    key = literal("anchor:") + cast(_A.number, String)
    place = (transactions.c.signer, transactions.c.mined_hash, transactions.c.block_number)
    query = (
        select(table, *place)
        .join(outbox, outbox.c.key == key)
        .join(transactions, transactions.c.id == outbox.c.transaction_id)
        .join(attempts, attempts.c.hash == transactions.c.mined_hash)
        .where(transactions.c.succeeded, ~attempts.c.filler)
    )
    return list(reversed(tx.execute(query.order_by(_A.number.desc()).limit(limit)).all()))
