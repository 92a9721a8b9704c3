"""The service in numbers (docs/metrics.md explains each), and in words whether it can do its work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ticketchain.store import leases
from ticketchain.store import metrics as numbers
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts

STALE_AFTER = timedelta(seconds=60)
INTENT_STATES = ("pending", "sent", "stuck", "refused")


@dataclass(frozen=True)
class Metric:
    """A number for Prometheus: what its name means, which labels tell its values apart."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


METRICS = {
    metric.name: metric
    for metric in (
        Metric("ticketchain_database_up", "1 when the database answered this request for metrics"),
        Metric("ticketchain_workers", "processes that run loops"),
        Metric("ticketchain_lease_age_seconds", "seconds since the loop's lease was renewed", ("loop", "owner")),
        Metric("ticketchain_outbox_intents", "intents that are not done", ("state",)),
        Metric("ticketchain_outbox_oldest_seconds", "age of the oldest intent in that state", ("state",)),
        Metric("ticketchain_signer_nonce_gap", "nonces given out that are in no block yet", ("signer",)),
        Metric("ticketchain_signer_balance_wei", "what the signer can pay for gas", ("signer",)),
        Metric("ticketchain_signer_checked_seconds", "seconds since the signer's account was looked at", ("signer",)),
        Metric("ticketchain_signer_stopped", "1 when the signer waits for an operator", ("signer",)),
        Metric("ticketchain_fee_bumps_total", "signed versions beyond the first of their transaction"),
        Metric("ticketchain_transactions_reverted_total", "transactions in blocks that did nothing"),
        Metric("ticketchain_head_block", "newest block of the chain", ("ledger",)),
        Metric("ticketchain_safe_block", "newest block that the node calls safe", ("ledger",)),
        Metric("ticketchain_final_block", "newest block whose effects are done", ("ledger",)),
        Metric("ticketchain_indexed_block", "newest block in the read model", ("ledger",)),
        Metric("ticketchain_head_lag_blocks", "blocks of the chain that are not in the read model yet", ("ledger",)),
        Metric("ticketchain_head_checked_seconds", "seconds since the node told its head", ("ledger",)),
        Metric("ticketchain_reorgs_total", "times that blocks were taken back", ("ledger",)),
        Metric("ticketchain_reorg_deepest_blocks", "most blocks taken back at once", ("ledger",)),
        Metric("ticketchain_reorg_last_blocks", "blocks taken back the last time", ("ledger",)),
        Metric("ticketchain_ledger_forked", "1 when final blocks were replaced: sales stop", ("ledger",)),
        Metric("ticketchain_webhooks_due", "webhooks of the payment provider that are not applied yet"),
        Metric("ticketchain_webhooks_oldest_seconds", "age of the oldest of them"),
        Metric("ticketchain_refunds", "refunds that are not done", ("state",)),
    )
}
"""Everything that `measure` tells, by name. A name that ends in `_total` only grows, but for reorgs and restores."""

Sample = tuple[str, tuple[str, ...], float]
"""A metric's name, its labels' values in order, and the number."""


def measure(parts: Parts) -> list[Sample]:
    """All numbers, now. Raises `Unavailable` when the database is away."""
    now = parts.clock()
    with parts.store.read() as tx:
        return [
            ("ticketchain_database_up", (), 1.0),
            *_leases(tx),
            *_outbox(tx, now),
            *_signers(tx, now),
            *(sample for row in numbers.ledgers(tx) for sample in _ledger(row, now)),
            *_money(tx, now),
        ]


def _leases(tx: Tx) -> Iterator[Sample]:
    held = [(name, owner, left) for name, owner, left in leases.remaining(tx) if left > 0]
    yield "ticketchain_workers", (), sum(name.startswith(leases.PRESENCE) for name, _, _ in held)
    for name, owner, left in held:
        if not name.startswith(leases.PRESENCE):
            yield "ticketchain_lease_age_seconds", (name, owner), leases.TTL_S - left


def _outbox(tx: Tx, now: datetime) -> Iterator[Sample]:
    found = {row.state: row for row in numbers.intents(tx)}
    for state in INTENT_STATES:
        row = found.get(state)
        yield "ticketchain_outbox_intents", (state,), row.number if row else 0
        yield "ticketchain_outbox_oldest_seconds", (state,), _age(row and row.oldest, now)
    yield "ticketchain_fee_bumps_total", (), numbers.fee_bumps(tx)
    yield "ticketchain_transactions_reverted_total", (), numbers.reverted(tx)


def _signers(tx: Tx, now: datetime) -> Iterator[Sample]:
    for row in numbers.signers(tx):
        label = (row.address,)
        yield "ticketchain_signer_stopped", label, row.stopped_at is not None
        if row.nonce is None:
            continue  # not looked at yet
        given = row.nonce if row.highest is None else max(row.highest + 1, row.nonce)
        yield "ticketchain_signer_nonce_gap", label, given - row.nonce
        yield "ticketchain_signer_balance_wei", label, float(row.balance)
        yield "ticketchain_signer_checked_seconds", label, _age(row.checked_at, now)


def _ledger(row: Any, now: datetime) -> Iterator[Sample]:
    label = (str(row.number),)
    tip = row.final_number if row.tip is None else row.tip
    yield "ticketchain_head_block", label, row.head_number
    yield "ticketchain_safe_block", label, row.safe_number
    yield "ticketchain_final_block", label, row.final_number
    yield "ticketchain_indexed_block", label, tip
    yield "ticketchain_head_lag_blocks", label, max(0, row.head_number - tip)
    yield "ticketchain_head_checked_seconds", label, _age(row.checked_at, now)
    yield "ticketchain_reorgs_total", label, row.reorgs
    yield "ticketchain_reorg_deepest_blocks", label, row.deepest or 0
    yield "ticketchain_reorg_last_blocks", label, row.last or 0
    yield "ticketchain_ledger_forked", label, row.forked_at is not None


def _money(tx: Tx, now: datetime) -> Iterator[Sample]:
    due, refunds = numbers.webhooks(tx), numbers.refunds(tx)
    yield "ticketchain_webhooks_due", (), due.number
    yield "ticketchain_webhooks_oldest_seconds", (), _age(due.oldest, now)
    for state in ("due", "failed"):
        yield "ticketchain_refunds", (state,), refunds.get(state, 0)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def troubles(parts: Parts) -> Mapping[str, str]:
    """What the database knows to be wrong, each part with "ok" or a few words. Raises `Unavailable`."""
    now = parts.clock()
    with parts.store.read() as tx:
        working = any(name.startswith(leases.PRESENCE) for name in leases.alive(tx))
        ledgers, signers = numbers.ledgers(tx), numbers.signers(tx)
    forked = [str(row.number) for row in ledgers if row.forked_at is not None]
    stale = [str(row.number) for row in ledgers if row.checked_at is not None and now - row.checked_at > STALE_AFTER]
    stopped = [row.address for row in signers if row.stopped_at is not None]
    return {
        "workers": "ok" if working else "no worker runs",
        "head": f"ledger {', '.join(stale)}: the node was not heard of for a minute" if stale else "ok",
        "fork": f"ledger {', '.join(forked)}: final blocks were replaced, sales stop" if forked else "ok",
        "signers": f"{len(stopped)} of {len(signers)} stopped" if stopped else "ok",
    }
