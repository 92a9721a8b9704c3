"""A service on a chain that asks for fees, as a public one would: the relayers have money, blocks come by `mine`, and
the senders' time is the test's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.service.people import Event, Fan, under_way
from tests.support.anvil import BIG_BLOCKS, running_anvil
from tests.support.databases import fresh_database
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.limits import Limits
from ticketchain.chain.plan import SenderStopped
from ticketchain.chain.sender import Sender
from ticketchain.cli.outbox import app
from ticketchain.context import Context, now, open_context
from ticketchain.installing import deploy_to, operator_addresses
from ticketchain.settings import Settings
from ticketchain.store import schema_chain as t
from ticketchain.store import signers
from ticketchain.usecases.aside import set_aside
from ticketchain.worker import steps

MONEY = 10**20


@dataclass
class Clock:
    """The sender's time: moved by tests, from now on."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return now() + self.ahead

    def skip(self, seconds: float) -> None:
        """Lets time pass."""
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Live:
    """The service, and its chain."""

    service: Context
    clock: Clock

    @property
    def gateway(self) -> Gateway:
        """Its door to the node."""
        return self.service.gateway

    def mine(self, blocks: int = 1) -> None:
        """Makes blocks of what is in the pool."""
        self.gateway.rpc("anvil_mine", hex(blocks))

    def reorg(self, depth: int) -> None:
        """The newest blocks are replaced by empty ones; their transactions vanish."""
        self.gateway.rpc("anvil_reorg", depth, [])

    def work(self, rounds: int = 100) -> None:
        """Repeats all loops, with a block after each round, until nothing is under way and all of it is final."""
        every = [step for name, loop in steps(self.service).items() if name != "webhooks" for step in loop]
        settled = 0
        for _ in range(rounds):
            for step in every:
                step()
            settled = 0 if under_way(self.service) else settled + 1
            if settled > 4:
                return
            self.mine()
        raise AssertionError("the work does not end")

    def sell(self, event: Event, quantity: int = 1) -> tuple[Fan, dict[str, Any]]:
        """A paid order whose deliveries are in the outbox."""
        fan = Fan(self.service)
        order = fan.order(event, quantity)
        fan.pay(order)
        return fan, order

    def until(self, true: Callable[[], bool], number: int = 0) -> None:
        """A sender works; no blocks come."""
        for _ in range(20):
            if true():
                return
            self.service.senders[number].step()
        raise AssertionError("it does not come to that")

    def waiting(self) -> list[Any]:
        """Versions that the node has, of transactions that are in no block we follow."""
        unsettled = {row.id for row in self.transactions() if row.block_number is None}
        return [each for each in self.attempts() if each.transaction_id in unsettled and each.sent_at is not None]

    def until_stopped(self, number: int = 0) -> str:
        """A sender works while its doubt stands; the reason for which it stops."""
        with pytest.raises(SenderStopped) as stopped:
            for _ in range(10):
                self.service.senders[number].step()
                self.clock.skip(2)
        assert self.stopped(number) == str(stopped.value)
        assert not self.service.senders[number].step(), "a stopped signer does nothing"
        return str(stopped.value)

    def follow(self) -> None:
        """Only the indexer works."""
        while self.service.indexers[0].step():
            pass

    def sender(self, number: int = 0, **limits: Any) -> Sender:
        """Another process's sender of a relayer, with limits of its own; it believes the first refusal."""
        parts = self.service.parts
        address, told = parts.signer.relayers[number], (partial(set_aside, parts), self.clock, parts.log)
        own = replace(Limits(refused_for=timedelta(0)), **limits)
        ledger = self.service.deployment.address
        return Sender(parts.store, self.gateway, ledger, parts.signer, address, *told, own)

    def intents(self) -> dict[str, list[str]]:
        """Keys of intents by state."""
        found: dict[str, list[str]] = {}
        with self.service.parts.store.read() as tx:
            for row in tx.execute(t.outbox.select().order_by(t.outbox.c.id)):
                found.setdefault(row.state, []).append(row.key)
        return found

    def attempts(self) -> list[Any]:
        """All signed versions, oldest first."""
        with self.service.parts.store.read() as tx:
            return list(tx.execute(t.attempts.select().order_by(t.attempts.c.created_at)))

    def transactions(self) -> list[Any]:
        """All transactions by nonce."""
        with self.service.parts.store.read() as tx:
            return list(tx.execute(t.transactions.select().order_by(t.transactions.c.signer, t.transactions.c.nonce)))

    def transactions_of(self, number: int) -> list[Any]:
        """Those of one relayer."""
        return [row for row in self.transactions() if row.signer == self.service.parts.signer.relayers[number]]

    def states(self, order: dict[str, Any]) -> set[str]:
        """What became of an order's intents."""
        return {state for state, keys in self.intents().items() if any(order["id"] in key for key in keys)}

    def cli(self, *words: str, status: int = 0, columns: int = 300) -> str:
        """What `ticketchain outbox` says; on standard error if it fails."""
        settings = self.service.settings
        env = {"TICKETCHAIN_DATABASE_URL": settings.database_url, "COLUMNS": str(columns)}
        env["TICKETCHAIN_RELAYERS"] = str(settings.relayers)
        data = ["--data", str(settings.data), *(["--rpc", settings.rpc_url] if words[0] == "fill" else [])]
        done = CliRunner().invoke(app, [*words, *data], env=env)
        assert done.exit_code == status, done.output
        return done.stdout if status == 0 else done.stderr

    def stopped(self, number: int = 0) -> str | None:
        """Why a relayer was stopped."""
        with self.service.parts.store.read() as tx:
            row = signers.signer(tx, self.service.parts.signer.relayers[number])
        return row.reason if row is not None and row.stopped_at is not None else None

    def resume(self, number: int = 0) -> None:
        """An operator lets a relayer go on."""
        with self.service.parts.store.begin() as tx:
            assert signers.resume(tx, self.service.parts.signer.relayers[number])


@contextmanager
def live_chain(engine: str, folder: Path, relayers: int = 1, free: bool = False) -> Iterator[Live]:
    """A deployed service whose chain has one block to finality; `free`: it asks for no fees."""
    fees = ("--block-base-fee-per-gas", "0" if free else "1000000000")
    with running_anvil(*BIG_BLOCKS, *fees, "--slots-in-an-epoch", "1") as url:
        data, database = folder / "data", fresh_database(engine, folder)
        settings = Settings(data=data, database_url=database, rpc_url=url, relayers=relayers, sandbox_payments=True)
        gateway = Gateway(url)
        for address in operator_addresses(settings).values():
            gateway.rpc("anvil_setBalance", address, hex(MONEY))
        deploy_to(settings)
        gateway.rpc("evm_setAutomine", False)
        gateway.close()
        with open_context(settings) as service:
            live = Live(service, Clock())
            live.service = replace(service, senders=tuple(live.sender(number) for number in range(relayers)))
            yield live


def open_event(live: Live, rows: int = 1, **special: Any) -> Event:
    """An event with seats that can be had, all of it final."""
    event = Event.announce(live.service, **special)
    live.work()
    event.issue(rows, finish=live.work)
    return event
