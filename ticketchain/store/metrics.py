"""Numbers about the work, read when somebody asks: any process answers the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, distinct, func, select

from ticketchain.store import schema as shop
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx

_INTENT, _TX, _ATTEMPT, _LEDGER = t.outbox.c, t.transactions.c, t.attempts.c, t.ledgers.c
_OPEN = ("pending", "sent", "stuck", "refused")


def intents(tx: Tx) -> Sequence[Row[Any]]:
    """Intents that are not done: `state`, `number`, and when the `oldest` was written."""
    query = select(_INTENT.state, func.count().label("number"), func.min(_INTENT.created_at).label("oldest"))
    return tx.execute(query.where(_INTENT.state.in_(_OPEN)).group_by(_INTENT.state)).all()


def signers(tx: Tx) -> Sequence[Row[Any]]:
    """What is known of each signer, with the `highest` nonce that we gave out."""
    highest = select(func.max(_TX.nonce)).where(_TX.signer == t.signers.c.address).scalar_subquery()
    return tx.execute(select(t.signers, highest.label("highest")).order_by(t.signers.c.address)).all()


def fee_bumps(tx: Tx) -> int:
    """Signed versions beyond the first of their transaction."""
    return int(tx.execute(select(func.count() - func.count(distinct(_ATTEMPT.transaction_id)))).scalar_one())


def reverted(tx: Tx) -> int:
    """Transactions in blocks we follow that did nothing."""
    return int(tx.execute(select(func.count()).where(_TX.succeeded.is_(False))).scalar_one())


def ledgers(tx: Tx) -> Sequence[Row[Any]]:
    """Each ledger, with the newest block we have (`tip`), its `reorgs`, the `deepest` of them, and the `last` one."""
    reorg, block = t.reorgs.c, t.blocks.c
    of_it = reorg.ledger == _LEDGER.number
    tip = select(func.max(block.number)).where(block.ledger == _LEDGER.number).scalar_subquery()
    number = select(func.count()).select_from(t.reorgs).where(of_it).scalar_subquery()
    deepest = select(func.max(reorg.depth)).where(of_it).scalar_subquery()
    last = select(reorg.depth).where(of_it).order_by(reorg.id.desc()).limit(1).scalar_subquery()
    columns = (tip.label("tip"), number.label("reorgs"), deepest.label("deepest"), last.label("last"))
    return tx.execute(select(t.ledgers, *columns).order_by(_LEDGER.number)).all()


def webhooks(tx: Tx) -> Row[Any]:
    """Webhooks in the inbox that are not applied: `number`, and when the `oldest` came."""
    hook = shop.webhook_inbox.c
    query = select(func.count().label("number"), func.min(hook.received_at).label("oldest"))
    return tx.execute(query.where(hook.applied.is_(False))).one()


def refunds(tx: Tx) -> dict[str, int]:
    """Number of refunds that are not done, by state."""
    state = shop.refunds.c.state
    query = select(state, func.count()).where(state.in_(("due", "failed"))).group_by(state)
    return {name: number for name, number in tx.execute(query)}
