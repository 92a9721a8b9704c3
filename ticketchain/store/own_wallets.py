"""Statements on fans' own wallets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from ticketchain.store import schema as s
from ticketchain.store import schema_wallets as t
from ticketchain.store.engine import Tx, insert_new

_WALLET, _QUESTION = t.own_wallets.c, t.wallet_questions.c


def ask(tx: Tx, values: Mapping[str, Any], now: datetime) -> None:
    """Stores what a wallet is asked to sign; questions whose time is over go."""
    tx.execute(delete(t.wallet_questions).where(_QUESTION.expires_at <= now))
    tx.execute(insert(t.wallet_questions).values(dict(values)))


def question(tx: Tx, nonce: str, fan_id: str) -> Row[Any] | None:
    """What this fan was asked."""
    query = select(t.wallet_questions).where(_QUESTION.nonce == nonce, _QUESTION.fan_id == fan_id)
    return tx.execute(query).one_or_none()


def end_question(tx: Tx, nonce: str) -> bool:
    """Uses a question up; False when that was done before."""
    return tx.execute(delete(t.wallet_questions).where(_QUESTION.nonce == nonce)).rowcount == 1


def link(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Links an address to a fan; False when it is linked already."""
    return insert_new(tx, t.own_wallets, values)


def unlink(tx: Tx, address: str, fan_id: str) -> bool:
    """Ends a fan's link; False when there was none."""
    query = delete(t.own_wallets).where(_WALLET.address == address, _WALLET.fan_id == fan_id)
    return tx.execute(query).rowcount == 1


def wallet(tx: Tx, address: str) -> Row[Any] | None:
    """The link of an address."""
    return tx.execute(select(t.own_wallets).where(_WALLET.address == address)).one_or_none()


def wallets_of(tx: Tx, fan_id: str) -> list[Row[Any]]:
    """A fan's own wallets, oldest first."""
    query = select(t.own_wallets).where(_WALLET.fan_id == fan_id)
    return list(tx.execute(query.order_by(_WALLET.linked_at, _WALLET.address)))


def addresses_of(tx: Tx, fan_id: str) -> list[str]:
    """All addresses of a fan: the one that the service keeps, if it was made already, and linked ones."""
    kept = select(s.fans.c.address).where(s.fans.c.id == fan_id, s.fans.c.address.is_not(None))
    own = select(_WALLET.address).where(_WALLET.fan_id == fan_id)
    return list(tx.execute(kept.union_all(own)).scalars())
