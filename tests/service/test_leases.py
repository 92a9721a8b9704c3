"""Who may run a loop: leases by the database's clock, shared fairly, taken over from the dead; and nothing that two
processes do at once is done twice.
"""

from __future__ import annotations

import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.cli.program import PROGRAM, environment
from tests.service.people import Event, Fan, request, settle_finally
from tests.support.databases import ENGINES, fresh_database, fresh_store
from ticketchain import worker
from ticketchain.context import Context
from ticketchain.domain.ports import Charge, Faults
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.store import leases as statements
from ticketchain.store import orders, schema
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Store, Tx
from ticketchain.store.leases import BEAT_S, PRESENCE, TTL_S, Leases
from ticketchain.store.sandbox import sandbox_charges, sandbox_refunds
from ticketchain.usecases import buy, charges, hold, pay
from ticketchain.worker import LOCAL, Worker, steps

LOOPS = ("signer:0x1", "indexer:0", "payments", "webhooks", "housekeeping")


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    found = fresh_store(request.param, tmp_path)
    yield found
    found.close()


def pass_time(store: Store, owner: str) -> None:
    """The time of somebody's leases is over: they did not renew them."""
    with store.begin() as tx:
        over = statements.database_now(tx) - 1
        tx.execute(update(t.work_leases).where(t.work_leases.c.owner == owner).values(until=over))


def holders(store: Store) -> dict[str, str]:
    with store.read() as tx:
        return {name: owner for name, owner in statements.alive(tx).items() if not name.startswith(PRESENCE)}


def test_a_lease_is_one_owners_until_it_is_over_or_given_back(store: Store) -> None:
    with store.begin() as tx:
        assert statements.take(tx, "payments", "one")
        assert not statements.take(tx, "payments", "two")
        assert statements.renew(tx, "one") == {"payments"} and statements.renew(tx, "two") == set()
        ((_, _, left),) = statements.remaining(tx)
        assert TTL_S - 2 < left <= TTL_S, "microseconds of the same clock on both engines"
    pass_time(store, "one")
    with store.begin() as tx:
        assert statements.take(tx, "payments", "two")
        assert statements.renew(tx, "one") == set(), "it is somebody else's now"
        statements.release(tx, "one", ["payments"])
        assert statements.alive(tx) == {"payments": "two"}
        statements.release(tx, "two", ["payments"])
        assert statements.take(tx, "payments", "one")


def test_two_share_the_loops_and_none_is_run_by_both(store: Store) -> None:
    one, two = Leases(store, "one"), Leases(store, "two")
    one.beat(LOOPS)
    assert set(holders(store).values()) == {"one"}, "who is alone does everything"
    two.beat(LOOPS)
    assert not any(two.holds(name) for name in LOOPS), "they are all somebody's"
    one.beat(LOOPS)
    leaving = [name for name in LOOPS if one.leaving(name)]
    assert len(leaving) == 2 and not any(one.holds(name) for name in leaving)
    two.beat(LOOPS)
    assert not any(two.holds(name) for name in LOOPS), "a step of the first may still be under way"
    one.release(*leaving)
    assert two.free(LOOPS)
    two.beat(LOOPS)
    assert sorted(name for name in LOOPS if two.holds(name)) == sorted(leaving)
    assert not two.free(LOOPS)
    one.beat(LOOPS)
    assert sum(one.holds(name) for name in LOOPS) == 3, "and so it stays"


def takeover_beats(store: Store, make: Callable[[str], Leases]) -> int | None:
    """How many beats after its death the loops of one process are all another's; None when they never are."""
    dead, heir = make("dead"), make("heir")
    dead.beat(LOOPS)
    heir.beat(LOOPS)
    for beats in range(1, 5):
        pass_time(store, "dead")
        heir.beat(LOOPS)
        if all(heir.holds(name) for name in LOOPS):
            return beats
    return None


def test_the_loops_of_a_dead_process_are_another_ones_a_beat_after_their_time(store: Store) -> None:
    assert takeover_beats(store, lambda owner: Leases(store, owner)) == 1
    assert TTL_S + 2 * BEAT_S < 10, "the issue's bound, with the beat before the death and the one after it"
    with store.read() as tx:
        assert set(statements.alive(tx)) == {*LOOPS, f"{PRESENCE}heir"}
        rows = set(tx.execute(select(t.work_leases.c.name)).scalars())
    assert f"{PRESENCE}dead" not in rows, "nothing is left of it"


def test_the_check_convicts_leases_that_are_never_taken_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    take = statements.take

    def only_new(tx: Tx, name: str, owner: str, ttl_s: float = TTL_S) -> bool:
        known = tx.execute(select(t.work_leases.c.owner).where(t.work_leases.c.name == name)).scalar_one_or_none()
        return known in (None, owner) and take(tx, name, owner, ttl_s)

    monkeypatch.setattr(statements, "take", only_new)
    assert takeover_beats(store, lambda owner: Leases(store, owner)) is None


def test_who_could_not_renew_in_time_stops_before_others_may_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(statements, "uptime", lambda: now[0])
    mine = Leases(store, "mine")
    mine.beat(LOOPS)
    assert mine.holds("payments")
    now[0] += TTL_S - 0.01
    assert not mine.holds("payments"), "also when nobody else is there: the database may be away"
    mine.beat(LOOPS)
    assert mine.holds("payments")


def test_a_worker_gives_back_what_it_had_and_others_have_it_at_once(service: Context) -> None:
    loops = sorted(set(steps(service)) - LOCAL)
    first = Worker(service)
    second = Worker(replace(service, leases=Leases(service.parts.store, "second")))
    first.start()
    try:
        assert sorted(holders(service.parts.store)) == loops, "before anybody can ask"
        second.start()
        first.stop()
        assert service.leases.owner not in holders(service.parts.store).values()
        for _ in range(1_000):
            if sorted(holders(service.parts.store)) == loops:
                break
            second.stopping.wait(0.01)
        assert set(holders(service.parts.store).values()) == {"second"}
    finally:
        first.stop()
        second.stop()
    assert holders(service.parts.store) == {}


def test_a_step_that_always_fails_does_not_keep_the_others_of_its_loop_from_working(
    service: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = threading.Event()

    def fails() -> bool:
        raise ValueError("always")

    def works() -> bool:
        worked.set()
        return False

    monkeypatch.setattr(worker, "steps", lambda _: {"housekeeping": [fails, works]})
    one = Worker(service)
    one.start()
    try:
        assert worked.wait(20)
    finally:
        one.stop()


class Careful(SandboxProvider):
    """Our client; two who ask at the same time wait for each other, so that both have seen the same row."""

    def __init__(self, service: Context) -> None:
        assert isinstance(service.sandbox, Sandbox)
        super().__init__(service.sandbox, ["secret"], service.parts.clock)
        self.charging, self.refunding = threading.Barrier(2), threading.Barrier(2)

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        meet(self.charging)
        return super().create_charge(self.key(payment_id), amount, currency, description)

    def refund(self, refund_id: str, capture_id: str, amount: int) -> str:
        meet(self.refunding)
        return super().refund(self.key(refund_id), capture_id, amount)

    def key(self, row_id: str) -> str:
        return row_id


class Forgetful(Careful):
    """Wrong: a new key each time, so that the provider cannot know that it is the same request."""

    def key(self, row_id: str) -> str:
        return f"{row_id} {uuid.uuid4()}"


def meet(barrier: threading.Barrier) -> None:
    with suppress(threading.BrokenBarrierError):
        barrier.wait(5)


def at_once(*works: Callable[[], object]) -> None:
    """Runs these at the same time until none finds anything to do."""
    failed: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            while work():
                pass
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def two_payments_loops(service: Context, provider: Careful) -> tuple[int, int, int]:
    """Two orders are charged twice by their fans' bank while two processes run the payments loop, both without a lease.
    How many charges and refunds the provider has then, and how many tickets were sold.
    """
    parts = replace(service.parts, providers={"sandbox": provider})
    event, fans = Event.open(service, rows=1), [Fan(service) for _ in range(2)]
    for fan in fans:
        held = hold.hold_best(parts, request(fan.who), event.id, "A", 1)
        buy.order_hold(parts, request(fan.who), held["id"])
    at_once(*[lambda: charges.open_charges(parts)] * 2)
    with parts.store.read() as tx:
        told = [row.provider_ref for row in tx.execute(select(schema.payments.c.provider_ref))]
    for charge in told:
        assert service.sandbox is not None
        service.sandbox.pay(charge, Faults(double=True))
        row = {"provider": "sandbox", "event_id": charge, "charge": charge, "applied": False}
        with parts.store.begin() as tx:
            orders.add_webhook(tx, row | {"received_at": parts.clock(), "due_at": parts.clock()})
    at_once(*[lambda: any([pay.apply_webhooks(parts), pay.send_refunds(parts)])] * 2)
    settle_finally(service)
    with parts.store.read() as tx:
        tables = (sandbox_charges, sandbox_refunds, t.tickets)
        opened, refunds, sold = (len(tx.execute(select(table)).all()) for table in tables)
    return opened, refunds, sold


def test_two_payments_loops_at_once_charge_and_refund_once(service: Context) -> None:
    assert two_payments_loops(service, Careful(service)) == (2, 2, 2)


@pytest.mark.differences("unknown_payment")
def test_the_check_convicts_a_client_without_idempotency_keys(service: Context) -> None:
    charges, refunds, _ = two_payments_loops(service, Forgetful(service))
    assert charges > 2 or refunds > 2


@pytest.mark.parametrize("engine", ENGINES)
def test_processes_that_start_at_once_on_an_empty_database_have_the_same_keys(engine: str, tmp_path: Path) -> None:
    settings = {"TICKETCHAIN_DATABASE_URL": fresh_database(engine, tmp_path)}
    command = [*PROGRAM, "keys", "addresses", "--data", str(tmp_path / "data")]
    started = [
        subprocess.Popen(
            command,
            env=environment(settings),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 2, said
    assert said[0].count("0x") >= 3 and said[0] == said[1]
