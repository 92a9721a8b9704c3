"""An indexer with a database of its own on a chain that a test writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from scripts.bench.index_chain import Writer
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.indexer import Followed, Indexer, Pace
from ticketchain.context import Context
from ticketchain.domain.intents import Deliver
from ticketchain.domain.tickets import ticket_id
from ticketchain.store import chain
from ticketchain.store.engine import Store
from ticketchain.usecases import reindex
from ticketchain.usecases.following import Following
from ticketchain.usecases.parts import Parts

LAST = 40_000  # tickets from here on are free for the tests


class Follower:
    """An indexer with a database of its own; what counts as final is said by the test."""

    def __init__(self, context: Context, store: Store, gateway: Gateway | None = None, patience: float = 60) -> None:
        self.context, self.final, self.now = context, 0, 0.0
        self.parts: Parts = replace(context.parts, store=store)
        self.gateway = gateway or context.gateway
        followed = Followed(0, context.deployment.block, lambda: self.final, lambda: self.final)
        pace = Pace(patience=patience)
        self.indexer = Indexer(store, self.gateway, Following(self.parts), followed, pace, lambda: self.now)
        with store.begin() as tx:
            if chain.ledger(tx, 0) is None:
                d = context.deployment
                chain.add_ledger(tx, 0, d.address, d.chain_id, d.block - 1)

    def follow(self, final: int | None = None) -> None:
        """Until nothing is new; first up to the final block by ranges, if one is given."""
        self.final = self.final if final is None else final
        while self.indexer.step():
            pass

    def equals_chain(self) -> bool:
        """Whether the model is that of the chain as it is now, all of it."""
        with self.parts.store.begin() as tx:
            tip = chain.tip(tx, 0)
            assert tip is not None
            chain.set_final(tx, 0, tip.number)
        return reindex.check(self.parts, self.indexer).equal

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table."""
        with self.parts.store.read() as tx:
            return list(tx.execute(select(table).order_by(*table.primary_key)))

    @property
    def tip(self) -> Any:
        """The newest block it has."""
        with self.parts.store.read() as tx:
            return chain.tip(tx, 0)


def head(writer: Writer) -> int:
    return writer.context.gateway.head().number


_free = iter(range(LAST, 50_000))


def delivery(writer: Writer, count: int = 2) -> bytes:
    """A signed delivery of tickets that nobody has yet."""
    address = "0x" + "44" * 20
    lines = [Deliver(ticket_id(1, 0, next(_free)), 0, address, True, 5_000, f"{n:032x}") for n in range(count)]
    return writer.call(1, list(lines))


def deliver(writer: Writer) -> bytes:
    """The same in a block."""
    raw = delivery(writer)
    writer.mine([raw], 1)
    return raw


def reorg(writer: Writer) -> None:
    """Replaces the newest block by an empty one; its transactions vanish."""
    writer.context.gateway.rpc("anvil_reorg", 1, [])
    writer.nonce = writer.context.gateway.nonce(writer.relayer)
