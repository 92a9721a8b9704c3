"""The way to a chain that asks for fees, loses transactions and is shared with others: nothing is sent twice, nothing
gets lost, and nobody guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.service.live_chain import Live, live_chain, open_event
from tests.service.people import Event, Fan
from ticketchain.chain.plan import Refusal, SenderStopped
from ticketchain.chain.sender import Sender
from ticketchain.chain.types import InsufficientFunds, NodeError, PoolFull, Rejected
from ticketchain.domain.errors import SignerRefused
from ticketchain.store import outbox, signers
from ticketchain.store.engine import Tx
from ticketchain.store.types import metadata


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Event]]:
    """On SQLite only, where the database makes no difference; each test leaves it with nothing to do."""
    with live_chain("sqlite", tmp_path_factory.mktemp("live")) as live:
        yield live, open_event(live, rows=5)


@pytest.fixture
def lite(shared: tuple[Live, Event]) -> Iterator[Live]:
    senders = shared[0].service.senders
    yield shared[0]
    shared[0].service = replace(shared[0].service, senders=senders)
    shared[0].work()


@pytest.fixture
def event(shared: tuple[Live, Event]) -> Event:
    return shared[1]


@pytest.mark.parametrize(("mined", "engine"), [("the old version", "sqlite"), ("the new version", "postgresql")])
def test_of_a_replaced_transaction_either_version_counts(mined: str, engine: str, tmp_path: Path) -> None:
    with live_chain(engine, tmp_path) as live:
        _replace(live, mined)


def _replace(live: Live, mined: str) -> None:
    event = open_event(live)
    fan, order = live.sell(event)
    sender = live.service.senders[0]
    sender.step()
    sender.step()
    (old,) = [a for a in live.attempts() if a.sent_at is not None][-1:]
    live.clock.skip(31)
    live.until(lambda: len(live.attempts()) > len(live.transactions()))
    new = live.attempts()[-1]
    assert new.transaction_id == old.transaction_id
    assert int(new.max_fee) * 8 >= int(old.max_fee) * 9 and int(new.priority_fee) * 8 >= int(old.priority_fee) * 9
    if mined == "the new version":
        sender.step()
        live.mine()
    else:
        live.mine()
        assert sender.step(), "the new version is sent, and its nonce is used already: by us"
    live.work()
    assert live.transactions()[-1].mined_hash == (new if mined == "the new version" else old).hash
    assert fan.look(order)["state"] == "delivered" and live.intents().keys() == {"done"}


def test_who_watches_only_the_newest_version_waits_for_ever(
    lite: Live, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    watched = outbox.transactions_with

    def newest_only(tx: Tx, hashes: Sequence[bytes]) -> list[Any]:
        newest = {row.hash for row in outbox.under_way(tx, lite.service.senders[0].address)}
        return [row for row in watched(tx, hashes) if row.hash in newest]

    fan, order = lite.sell(event)
    lite.until(lambda: bool(lite.waiting()))
    lite.clock.skip(31)
    lite.until(lambda: len(lite.attempts()) > len(lite.transactions()))
    lite.mine()
    monkeypatch.setattr(outbox, "transactions_with", newest_only)
    lite.follow()
    assert fan.look(order)["state"] == "delivered" and lite.intents()["sent"], "it is there and still waited for"
    monkeypatch.undo()
    lite.reorg(1)


def _use_nonce_elsewhere(live: Live) -> None:
    """Somebody else with the same key is quicker."""
    signer, address = live.service.parts.signer, live.service.senders[0].address
    rival = signer.filler(address, live.gateway.nonce(address), 50 * 10**9, 40 * 10**9)
    live.gateway.send_raw(rival.raw)
    live.mine()


def test_a_nonce_that_was_used_elsewhere_stops_the_signer_and_is_never_given_anew(lite: Live, event: Event) -> None:
    fan, order = lite.sell(event)
    nonce = lite.gateway.nonce(lite.service.senders[0].address)
    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(lite.gateway, "send_raw_many", lambda raws: tuple(PoolFull(0, "full") for _ in raws))
        with pytest.raises(PoolFull):
            lite.until(lambda: False)
    _use_nonce_elsewhere(lite)
    assert not lite.service.senders[0].step() and lite.stopped() is None, "one answer proves nothing"
    assert f"nonce {nonce} of" in lite.until_stopped()
    assert lite.transactions()[-1].nonce == nonce and lite.intents()["sent"]
    lite.resume()
    lite.work()
    assert [row.nonce for row in lite.transactions()][-2:] == [nonce, nonce + 1]
    assert (fan.look(order)["state"], fan.look(order)["refunds"], len(fan.tickets())) == ("delivered", [], 1)


def test_a_database_behind_its_own_transactions_stops_the_signer_and_pays_nothing_back(
    lite: Live,
    event: Event,
) -> None:
    """A backup is restored that does not know of a delivery: on a resumed signer it counts as done, not as refused."""
    fan, order = lite.sell(event)
    backup = _copy(lite)
    lite.work()
    _restore(lite, backup)
    assert fan.look(order)["state"] == "paid" and lite.intents()["pending"]
    assert "1 transactions of" in lite.until_stopped()
    lite.resume()
    lite.service.senders[0].step()  # asks before the indexer has told
    lite.work()
    assert (fan.look(order)["state"], fan.look(order)["refunds"], len(fan.tickets())) == ("delivered", [], 1)
    assert f"deliver:{order['id']}" in "".join(lite.intents()["done"])


def test_who_believes_a_refusal_before_the_index_knows_pays_back_what_was_delivered(
    lite: Live, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""

    def at_once(self: Sender, refused: Sequence[Refusal]) -> bool:
        with self._store.begin() as tx:
            for row, problem in refused:
                self._set_aside(tx, row, problem)
        return bool(refused)

    fan, order = lite.sell(event)
    backup = _copy(lite)
    lite.work()
    _restore(lite, backup)
    monkeypatch.setattr(Sender, "_put_aside", at_once)
    lite.until_stopped()
    lite.resume()
    lite.service.senders[0].step()
    lite.work()
    assert fan.look(order)["refunds"] and len(fan.tickets()) == 1


def _copy(live: Live) -> dict[str, list[dict[str, Any]]]:
    """All that the database says."""
    tables = metadata.sorted_tables
    with live.service.parts.store.read() as tx:
        return {table.name: [dict(row._mapping) for row in tx.execute(table.select())] for table in tables}


def _restore(live: Live, backup: dict[str, list[dict[str, Any]]]) -> None:
    tables = metadata.sorted_tables
    with live.service.parts.store.begin() as tx:
        for table in reversed(tables):
            tx.execute(table.delete())
        for table in tables:
            if backup[table.name]:
                tx.execute(table.insert(), backup[table.name])


def test_a_node_that_has_not_yet_heard_of_our_receipt_stops_nobody(lite: Live, event: Event) -> None:
    """The control is a sender without patience."""
    fan, order = _mined_but_not_followed(lite, event)
    with pytest.MonkeyPatch.context() as lagging:
        lagging.setattr(lite.gateway, "receipts", lambda hashes: tuple(None for _ in hashes))
        for _ in range(3):
            lite.clock.skip(1)
            assert not lite.service.senders[0].step()
        assert lite.stopped() is None
        with pytest.raises(SenderStopped):
            lite.sender(doubts=1, doubt_for=timedelta()).step()
    lite.resume()
    lite.work()
    assert fan.look(order)["state"] == "delivered"


def _mined_but_not_followed(live: Live, event: Event) -> tuple[Fan, dict[str, Any]]:
    """A delivery is in a block, which only the node knows; the time to send it again has come."""
    fan, order = live.sell(event)
    live.until(lambda: bool(live.waiting()))
    live.mine()
    live.clock.skip(6)
    return fan, order


@pytest.mark.parametrize("answer", [NodeError(-32000, "the flux is out of phase"), Rejected(-32000, "wrong chain")])
def test_what_nobody_should_guess_about_stops_the_signer(lite: Live, event: Event, answer: NodeError) -> None:
    fan, order = lite.sell(event)
    with pytest.MonkeyPatch.context() as odd:
        odd.setattr(lite.gateway, "send_raw_many", lambda raws: tuple(answer for _ in raws))
        assert answer.text in lite.until_stopped()
    lite.resume()
    lite.work()
    assert fan.look(order)["state"] == "delivered"


def test_a_transaction_that_the_key_does_not_sign_stops_the_signer(lite: Live, event: Event) -> None:
    """It has its nonce, so nothing can go before it: who only tried again would stand still and say so to nobody."""
    fan, order = lite.sell(event)

    def refuse(_: object) -> None:
        raise SignerRefused("gas: 20000 is not between 21,000 and 16,777,216")

    with pytest.MonkeyPatch.context() as odd:
        odd.setattr(lite.service.parts.signer, "transaction", refuse)
        assert "20000" in lite.until_stopped()
    lite.resume()
    lite.work()
    assert fan.look(order)["state"] == "delivered"


def test_a_signer_without_money_waits_for_it_and_says_so(lite: Live, event: Event) -> None:
    sender = lite.service.senders[0]
    fan, order = lite.sell(event)
    lite.gateway.rpc("anvil_setBalance", sender.address, "0x0")
    with pytest.raises(InsufficientFunds):
        lite.until(lambda: False)
    lite.clock.skip(6)
    with pytest.raises(InsufficientFunds):
        sender.step()
    with lite.service.parts.store.read() as tx:
        row = signers.signer(tx, sender.address)
    assert row is not None and (row.balance, row.stopped_at) == ("0", None)
    lite.gateway.rpc("anvil_setBalance", sender.address, hex(10**20))
    lite.work()
    assert fan.look(order)["state"] == "delivered"


def test_fees_end_at_the_cap_with_an_alarm(lite: Live, event: Event) -> None:
    lite.sell(event)
    sender = lite.sender(max_fee=2 * 10**9)
    lite.service = replace(lite.service, senders=(sender,))
    lite.until(lambda: bool(lite.waiting()))
    with capture_logs() as said:
        for _ in range(12):
            lite.clock.skip(31)
            sender.step()
    fees = [int(each.max_fee) for each in lite.waiting()]
    assert len(fees) > 2 and fees == sorted(fees) and fees[-1] <= 2 * 10**9 < fees[-1] * 9 // 8
    assert {"a transaction waits at the highest fee allowed"} == {x["event"] for x in said if x["log_level"] == "error"}


class Crash(BaseException):
    """The process is gone."""


def _dying(method: Callable[..., Any], after: bool) -> Callable[..., Any]:
    def dies(*args: Any, **kwargs: Any) -> Any:
        if after:
            method(*args, **kwargs)
        raise Crash

    return dies


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["add_attempt", "send_raw_many", "set_sent"])
def test_a_crash_while_fees_are_raised_loses_and_doubles_nothing(
    lite: Live, event: Event, name: str, after: bool
) -> None:
    fan, order = lite.sell(event)
    lite.until(lambda: bool(lite.waiting()))
    lite.clock.skip(31)
    where = lite.gateway if name == "send_raw_many" else outbox
    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(where, name, _dying(getattr(where, name), after))
        with pytest.raises(Crash):
            lite.until(lambda: False)
    lite.service = replace(lite.service, senders=(lite.sender(),))  # the next process
    lite.until(lambda: len(lite.attempts()) > len(lite.transactions()))
    lite.work()
    assert (fan.look(order)["state"], len(fan.tickets()), fan.look(order)["refunds"]) == ("delivered", 1, [])


@pytest.mark.parametrize("refused_for", [2, 0])
def test_one_answer_of_a_node_that_lags_ends_no_order(lite: Live, event: Event, refused_for: int) -> None:
    """The state in which it simulates does not have the batch yet. Control: who believes the first answer."""
    fan, order = lite.sell(event)
    sender = lite.sender(refused_for=timedelta(seconds=refused_for))
    before = next(row.block_number for row in lite.transactions() if row.kind == "create_event")
    call = lite.gateway.call
    with pytest.MonkeyPatch.context() as lagging:
        lagging.setattr(lite.gateway, "call", lambda to, data, by: call(to, data, by, block=before))
        sender.step()
        sender.step()
    lite.clock.skip(3)
    lite.service = replace(lite.service, senders=(sender,))
    lite.work()
    state, refunds = fan.look(order)["state"], fan.look(order)["refunds"]
    assert (state, len(refunds)) == (("delivered", 0) if refused_for else ("refunded", 1))
