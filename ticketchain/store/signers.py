"""Statements on signers: what the node last said of their accounts, and whether one was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx, insert_new, insert_or_replace

_SIGNER = t.signers.c


def signer(tx: Tx, address: str) -> Row[Any] | None:
    """One signer; None before it was looked at for the first time."""
    return tx.execute(select(t.signers).where(_SIGNER.address == address)).one_or_none()


def signers(tx: Tx) -> Sequence[Row[Any]]:
    """All signers."""
    return tx.execute(select(t.signers).order_by(_SIGNER.address)).all()


def note(tx: Tx, address: str, nonce: int, balance: int, now: datetime) -> None:
    """Notes what the node says of a signer's account: transactions mined, wei left."""
    values = {"address": address, "nonce": nonce, "balance": str(balance), "checked_at": now}
    insert_or_replace(tx, t.signers, values)


def stop(tx: Tx, address: str, reason: str, now: datetime) -> bool:
    """Stops a signer until an operator lets it go on; False when it was stopped already."""
    insert_new(tx, t.signers, {"address": address})
    query = update(t.signers).where(_SIGNER.address == address, _SIGNER.stopped_at.is_(None))
    return tx.execute(query.values(stopped_at=now, reason=reason)).rowcount == 1


def resume(tx: Tx, address: str) -> bool:
    """Lets a stopped signer go on from whatever nonce the chain says; False when it was not stopped."""
    query = update(t.signers).where(_SIGNER.address == address, _SIGNER.stopped_at.is_not(None))
    return tx.execute(query.values(stopped_at=None, reason=None, nonce=None)).rowcount == 1


def adopt(tx: Tx, address: str) -> None:
    """Lets a signer, stopped or not, go on from whatever nonce the chain says."""
    insert_or_replace(tx, t.signers, {"address": address, "stopped_at": None, "reason": None, "nonce": None})
