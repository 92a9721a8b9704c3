"""Intents on their way: bad ones among good ones, ones whose transaction failed, several senders on one outbox, and
what an operator can do. On both databases, with two relayers.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.service.live_chain import Live, live_chain, open_event
from tests.service.people import FACE, Event, Fan
from tests.support.databases import ENGINES
from ticketchain.chain.abi import encode_call
from ticketchain.chain.deploy import RELAYER
from ticketchain.chain.limits import Batching
from ticketchain.chain.plan import Draft, Planner, Refusal
from ticketchain.chain.sender import Sender
from ticketchain.chain.types import Reverted
from ticketchain.store import claims, outbox, signers
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx
from ticketchain.usecases.aside import set_aside

ONE_DATABASE = pytest.mark.parametrize("shared", ["sqlite"], indirect=True, scope="module")
"""Where the database makes no difference."""


@pytest.fixture(scope="module", params=ENGINES)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Event]]:
    with live_chain(request.param, tmp_path_factory.mktemp("live"), relayers=2) as live:
        yield live, open_event(live, rows=10)


@pytest.fixture
def live(shared: tuple[Live, Event]) -> Iterator[Live]:
    """Each test leaves it with nothing to do."""
    service = shared[0].service
    yield shared[0]
    shared[0].service = service
    shared[0].work()


@pytest.fixture
def event(shared: tuple[Live, Event]) -> Event:
    return shared[1]


def _only(live: Live, *senders: Any) -> None:
    live.service = replace(live.service, senders=senders)


# ---------------------------------------------------------------------------------------- bad items


def _spoil(live: Live, patch: pytest.MonkeyPatch, order: dict[str, Any], place: int, how: str) -> int:
    """One of an order's intents spoils every call that it is part of; its ticket."""
    ticket = sorted(int(line["ticket"]) for line in order["lines"])[place]
    if how == "malformed":
        with live.service.parts.store.begin() as tx:
            key = t.outbox.c.key == f"deliver:{order['id']}:{ticket}"
            payload = tx.execute(t.outbox.select().where(key)).one().payload
            tx.execute(t.outbox.update().where(key).values(payload=payload | {"to": "0x12"}))
        return ticket
    call, mark = live.gateway.call, ticket.to_bytes(8, "big")
    data = bytes.fromhex("5d03f0cc") if how == "an unknown reason" else b""

    def spoilt(to: str, asked: bytes, sender: str | None = None, **at: Any) -> bytes:
        if mark in asked:
            raise Reverted(data)
        return call(to, asked, sender, **at)

    patch.setattr(live.gateway, "call", spoilt)
    return ticket


@ONE_DATABASE
@pytest.mark.parametrize(("place", "how"), [(0, "malformed"), (2, "no reason"), (4, "an unknown reason")])
def test_one_bad_intent_sinks_no_batch(
    live: Live, event: Event, monkeypatch: pytest.MonkeyPatch, place: int, how: str
) -> None:
    fan, order = live.sell(event, 5)
    bad = _spoil(live, monkeypatch, order, place, how)
    for _ in range(12):
        live.service.senders[0].step()
        live.mine()
        live.follow()
    states = {int(line["ticket"]): line["state"] for line in fan.look(order)["lines"]}
    assert sorted(fan.tickets()) == sorted(set(states) - {bad})
    if how == "malformed":
        assert [r["amount"] for r in fan.look(order)["refunds"]] == [FACE]
        return
    assert fan.look(order)["refunds"] == [] and live.intents()["stuck"] == [f"deliver:{order['id']}:{bad}"]
    monkeypatch.undo()
    live.cli("retry", str(_ids(live, "stuck")[0]))
    live.work()
    assert sorted(fan.tickets()) == sorted(states)


@ONE_DATABASE
def test_without_looking_for_the_bad_one_all_of_its_batch_are_refused(
    live: Live, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""

    def whole(self: Planner, rows: Sequence[Any]) -> list[Refusal]:
        try:
            return [(row, p) for row, p in zip(rows, self._simulate(rows), strict=True) if p]
        except Exception as error:
            return [(row, {"reason": "Said", "detail": str(error)}) for row in rows]

    fan, order = live.sell(event, 5)
    _spoil(live, monkeypatch, order, 1, "malformed")
    monkeypatch.setattr(Planner, "_refused", whole)
    live.work()
    assert (fan.tickets(), len(fan.look(order)["refunds"])) == ([], 5)


# ---------------------------------------------------------------------------------------- transactions that fail


def _set_role(live: Live, number: int, roles: int) -> None:
    """The admin gives or takes a relayer's role, in the next block before anything else."""
    parts = live.service.parts
    data = "0x" + encode_call("setRoles", 0, parts.signer.relayers[number], roles).hex()
    call = {"from": parts.signer.admin, "to": live.service.deployment.address, "gas": "0x100000", "data": data}
    live.gateway.rpc("anvil_impersonateAccount", parts.signer.admin)
    live.gateway.rpc("eth_sendTransaction", call | {"maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**11)})


def _reverted(live: Live, event: Event) -> tuple[Fan, dict[str, Any]]:
    """A delivery that reverted in the newest block, because the relayer lost its role just before it."""
    _only(live, live.service.senders[0])
    fan, order = live.sell(event)
    live.until(lambda: bool(live.waiting()))
    _set_role(live, 0, 0)
    live.mine()
    live.follow()
    assert live.transactions_of(0)[-1].succeeded is False
    return fan, order


@ONE_DATABASE
def test_what_reverted_and_was_reorged_back_is_delivered_and_not_refunded(live: Live, event: Event) -> None:
    fan, order = _reverted(live, event)
    assert live.states(order) == {"sent"} and fan.look(order)["refunds"] == []
    live.reorg(1)
    live.work()
    assert (len(fan.tickets()), fan.look(order)["refunds"]) == (1, [])


@ONE_DATABASE
def test_who_gives_back_at_the_revert_delivers_and_refunds(live: Live, event: Event) -> None:
    """The control of the test above."""
    fan, order = _reverted(live, event)
    with live.service.parts.store.begin() as tx:
        (intent,) = tx.execute(t.outbox.select().where(t.outbox.c.state == "sent")).all()
        claims.release(tx, intent.id, 1)
        set_aside(live.service.parts, tx, intent, {"reason": "Said", "detail": "it reverted"})
    live.reorg(1)
    live.work()
    assert len(fan.tickets()) == 1 and fan.look(order)["refunds"]


@ONE_DATABASE
def test_what_reverted_for_good_is_sent_anew_when_that_is_final(live: Live, event: Event) -> None:
    fan, order = _reverted(live, event)
    _set_role(live, 0, RELAYER)
    before = live.transactions_of(0)[-1].nonce
    live.work()
    assert live.transactions_of(0)[-1].nonce == before + 1
    assert (len(fan.tickets()), fan.look(order)["refunds"]) == (1, [])


def test_what_reverts_again_and_again_goes_alone_and_then_waits_for_an_operator(
    live: Live, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = outbox.add_transaction
    monkeypatch.setattr(outbox, "add_transaction", lambda tx, values: add(tx, {**values, "gas": 50_000}))
    _only(live, live.service.senders[0])
    fan, order = live.sell(event, 2)
    first = len(live.transactions())
    with capture_logs() as said:
        live.work(rounds=400)
    assert len(live.transactions()) - first == 3 + 2 * 3, "three together, then three times each alone"
    assert [x["log_level"] for x in said if x["event"] == "intent stuck"] == ["error"] * 2
    assert (fan.look(order)["state"], fan.look(order)["refunds"]) == ("paid", [])
    monkeypatch.undo()
    live.cli("retry", *map(str, _ids(live, "stuck")))
    live.work()
    assert len(fan.tickets()) == 2


# ---------------------------------------------------------------------------------------- several senders


def test_two_senders_of_the_same_relayer_use_a_nonce_once(live: Live, event: Event) -> None:
    """Both have planned the same intent before either writes it down, at once or one after the other. (Of several,
    on PostgreSQL, each may get some.)
    """
    for one_by_one in (False, True):
        fan, order = live.sell(event, 1)
        before = len(live.transactions())
        _race(live, one_by_one)
        assert len(live.transactions()) == before + 1
        live.work()
        assert len(fan.tickets()) == 1 and "refused" not in live.states(order)


def test_without_a_look_at_who_has_an_intent_it_goes_out_twice(live: Live, event: Event) -> None:
    """The control of the test above."""
    live.sell(event, 1)
    before = len(live.transactions())
    with pytest.MonkeyPatch.context() as blind:
        blind.setattr(claims, "take", _take_blindly)
        _race(live, one_by_one=True)
    assert len(live.transactions()) == before + 2


def _take_blindly(tx: Tx, signer: str, ids: Sequence[int], transaction_id: int) -> int:
    tx.execute(t.outbox.update().where(t.outbox.c.id.in_(ids)).values(state="sent", transaction_id=transaction_id))
    return len(ids)


def _race(live: Live, one_by_one: bool) -> None:
    """Two processes with one relayer's key take one step at the same time, and write it down so or in turn."""
    planned: set[int] = set()
    both, turn, draft, commit = threading.Barrier(2), threading.Lock(), Planner.draft, Sender._commit

    def together(self: Planner, rows: Sequence[Any]) -> tuple[Draft | None, list[Refusal]]:
        planned.add(threading.get_ident())
        found = draft(self, rows)
        both.wait(20)
        return found

    def one_plan(sender: Sender) -> Callable[[], object]:
        def work() -> None:
            while threading.get_ident() not in planned:  # PostgreSQL: what the other claims at this moment is skipped
                sender.step()

        return work

    def in_turn(self: Sender, draft: Draft | None) -> bool:
        with turn if one_by_one else nullcontext():
            return commit(self, draft)

    with pytest.MonkeyPatch.context() as slow:
        slow.setattr(Planner, "draft", together)
        slow.setattr(Sender, "_commit", in_turn)
        _at_once(*(one_plan(live.sender(0)) for _ in range(2)))


def _at_once(*work: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(work)) as threads:
        for done in [threads.submit(each) for each in work]:
            done.result()


def test_two_relayers_share_one_outbox(live: Live, event: Event) -> None:
    few = Batching(lines=3)
    first, second = live.sender(0, batching=few), live.sender(1, batching=few)
    sold = [live.sell(event, 4) for _ in range(6)]

    def work(sender: Sender) -> Callable[[], object]:
        return lambda: [sender.step() for _ in range(8)]

    before = [len(live.transactions_of(number)) for number in (0, 1)]
    _at_once(work(first), work(second))
    assert all(len(live.transactions_of(number)) > before[number] for number in (0, 1)), "both sent"
    live.work()
    assert [len(fan.tickets()) for fan, _ in sold] == [4] * 6
    assert not any("refused" in live.states(order) for _, order in sold)


def test_what_a_stopped_relayer_had_claimed_goes_out_by_another(live: Live, event: Event) -> None:
    first, second = live.service.senders
    fan = _stop_first(live, event)
    _only(live, second)
    live.work()
    assert len(fan.tickets()) == 1 and live.transactions_of(1)[-1].kind == "deliver"
    _only(live, first, second)
    _set_role(live, 0, RELAYER)
    live.mine()
    live.cli("resume", first.address)


@ONE_DATABASE
def test_claims_that_nobody_gives_up_wait_for_ever(live: Live, event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    _, second = live.service.senders
    monkeypatch.setattr(claims, "give_up", lambda tx, signer: 0)
    _stop_first(live, event)
    assert not second.step() and live.intents()["pending"]
    _set_role(live, 0, RELAYER)
    live.mine()
    live.resume(0)


def _stop_first(live: Live, event: Event) -> Fan:
    _set_role(live, 0, 0)
    live.mine()
    live.follow()
    fan, _ = live.sell(event)
    assert "has not the role" in live.until_stopped(0)
    return fan


# ---------------------------------------------------------------------------------------- what an operator can do


def test_a_filler_takes_the_place_of_a_transaction_that_waits_for_ever(live: Live, event: Event) -> None:
    first, _ = live.service.senders
    _only(live, first)
    fan, order = live.sell(event)
    live.until(lambda: bool(live.waiting()))
    live.gateway.rpc("anvil_dropAllTransactions")
    nonce = live.transactions_of(0)[-1].nonce
    filler = json.loads(live.cli("fill", "--signer", first.address, "--nonce", str(nonce), "--json"))
    live.until(lambda: len(live.waiting()) == 2)
    live.mine()
    live.follow()
    assert live.transactions_of(0)[-1].mined_hash.hex() == filler["hash"][2:]
    assert live.intents()["sent"] == [f"deliver:{order['id']}:{order['lines'][0]['ticket']}"], "until that is final"
    live.work()
    assert live.transactions_of(0)[-1].nonce == nonce + 1
    assert (len(fan.tickets()), fan.look(order)["refunds"]) == (1, [])


@ONE_DATABASE
def test_a_filler_closes_a_gap_that_holds_up_all_that_follows(live: Live, event: Event) -> None:
    """A nonce was given out by a database that is lost: what comes after it waits in the node's pool."""
    first, _ = live.service.senders
    _only(live, first)
    with live.service.parts.store.begin() as tx:
        row = signers.signer(tx, first.address)
        assert row is not None
        gap = max(row.nonce, outbox.next_nonce(tx, first.address) or 0)
        signers.note(tx, first.address, gap + 1, int(row.balance), live.clock())
    live.clock.skip(6)  # the account is looked at again, and the node knows of no such nonce
    fan, _ = live.sell(event)
    live.until(lambda: bool(live.waiting()))
    live.mine()
    live.follow()
    assert fan.tickets() == [] and live.transactions_of(0)[-1].nonce == gap + 1
    live.cli("fill", "--signer", first.address, "--nonce", str(gap))
    live.work()
    assert len(fan.tickets()) == 1


@ONE_DATABASE
def test_a_filler_that_comes_too_late_changes_nothing(live: Live, event: Event) -> None:
    first, _ = live.service.senders
    _only(live, first)
    fan, _ = live.sell(event)
    live.until(lambda: bool(live.waiting()))
    nonce = live.transactions_of(0)[-1].nonce
    live.cli("fill", "--signer", first.address, "--nonce", str(nonce))
    live.mine()
    live.work()
    assert live.transactions_of(0)[-1].nonce == nonce
    assert len(fan.tickets()) == 1
    for wrong, why in ((nonce, "is used already"), (nonce + 1, "was not given out yet")):
        assert why in live.cli("fill", "--signer", first.address, "--nonce", str(wrong), status=1)
    assert "is no relayer" in live.cli("fill", "--signer", "0x12", "--nonce", "0", status=1)


def test_the_outbox_shows_what_is_on_its_way(live: Live, event: Event) -> None:
    first, second = live.service.senders
    _, order = live.sell(event, 2)
    live.until(lambda: bool(live.waiting()))
    rows = json.loads(live.cli("list", "--json"))
    assert {(r["state"], r["signer"], r["attempts"], r["tries"]) for r in rows} == {("sent", first.address, 1, 0)}
    assert {r["key"] for r in rows} == {f"deliver:{order['id']}:{line['ticket']}" for line in order["lines"]}
    table = live.cli("list", "--state", "sent")
    assert "deliver" in table and str(rows[0]["nonce"]) in table
    assert "nothing" in live.cli("list", "--state", "stuck")
    known = json.loads(live.cli("signers", "--json"))
    assert {r["address"] for r in known} == {first.address, second.address}
    narrow = live.cli("signers", columns=80)
    assert first.address in narrow and second.address in narrow
    assert "not stuck" in live.cli("retry", str(rows[0]["id"]), status=1)
    assert "is not stopped" in live.cli("resume", first.address, status=1)
    assert "no signer 0x12" in live.cli("resume", "0x12", status=1)


def _ids(live: Live, state: str) -> list[int]:
    return [row["id"] for row in json.loads(live.cli("list", "--state", state, "--json"))]
