"""Statements on what box offices and partners sold."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from ticketchain.domain.orders import Channel
from ticketchain.store import schema as t
from ticketchain.store.engine import Tx


def sales(tx: Tx, event_id: str, key_id: str | None, after: str, limit: int) -> list[Row[Any]]:
    """Orders of an event behind the id `after` that were not bought on the web; of one seller's API key, or with None
    of all.
    """
    c = t.orders.c
    query = select(t.orders).where(c.event_id == event_id, c.channel != Channel.WEB, c.id > after)
    if key_id is not None:
        query = query.where(c.seller_key == key_id)
    return list(tx.execute(query.order_by(c.id).limit(limit)))
