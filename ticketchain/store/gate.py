"""Statements on entry leases, scans and admissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from ticketchain.store import schema as t
from ticketchain.store import schema_gate as g
from ticketchain.store.engine import Tx, insert_new, insert_or_replace


def set_lease(tx: Tx, values: Mapping[str, Any]) -> None:
    """Records the lease of a ticket at an epoch; an older one of the same ticket and epoch ends with it."""
    insert_or_replace(tx, g.leases, values)


def lease(tx: Tx, ticket: int, epoch: int) -> Row[Any] | None:
    """The live lease of a ticket at an epoch."""
    c = g.leases.c
    return tx.execute(select(g.leases).where(c.ticket == ticket, c.epoch == epoch)).one_or_none()


def admit(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Admits a ticket exactly once: True for the first scan, False for all others."""
    return insert_new(tx, g.admissions, values)


def admission(tx: Tx, ticket: int) -> Row[Any] | None:
    """When and where a ticket was admitted."""
    return tx.execute(select(g.admissions).where(g.admissions.c.ticket == ticket)).one_or_none()


def set_admission_problem(tx: Tx, ticket: int, problem: str) -> None:
    """Notes why the ledger would not redeem an admitted ticket."""
    tx.execute(update(g.admissions).where(g.admissions.c.ticket == ticket).values(problem=problem))


def add_scan(tx: Tx, values: Mapping[str, Any]) -> None:
    """Records a scan with its outcome."""
    tx.execute(insert(g.scans).values(dict(values)))


def scan(tx: Tx, key_id: str, nonce: str) -> Row[Any] | None:
    """The scan a device already sent under this nonce."""
    c = g.scans.c
    return tx.execute(select(g.scans).where(c.key_id == key_id, c.nonce == nonce)).one_or_none()


def outcomes(tx: Tx, event_id: str) -> dict[str, int]:
    """Number of scans by outcome."""
    c = g.scans.c
    query = select(c.outcome, func.count()).where(c.event_id == event_id).group_by(c.outcome)
    return {outcome: count for outcome, count in tx.execute(query)}


def scans_of(tx: Tx, event_id: str, ticket: int, limit: int) -> list[Row[Any]]:
    """The newest scans of a ticket at an event's gates, each with the device of the key that sent it."""
    c = g.scans.c
    query = select(g.scans, t.api_keys.c.label, t.api_keys.c.device).join(t.api_keys, t.api_keys.c.id == c.key_id)
    query = query.where(c.event_id == event_id, c.ticket == ticket)
    return list(tx.execute(query.order_by(c.scanned_at.desc(), c.nonce).limit(limit)))
