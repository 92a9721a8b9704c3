"""How much is signed in a time, the switch, and many requests in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.signer.world import OTHER, TICKET, Fan, World, new_passkey, registration
from ticketchain.chain.abi import selector_of
from ticketchain.domain.consents import Deliveries, Line
from ticketchain.domain.errors import DomainError, LimitReached, ProofRefused, SignerStopped
from ticketchain.domain.ports import UnsignedTransaction
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer import keys, limits, log
from ticketchain.signer.desk import Request
from ticketchain.signer.fans import Rules
from ticketchain.signer.limits import Limits

FEW = Limits(wallet_hour=3, wallet_day=5, consents_hour=8, devices_hour=2, lines_hour=10)
Patch = pytest.MonkeyPatch


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World.at(tmp_path, Rules(limits=FEW))
    yield world
    world.desk.vault.close()


def agree(fan: Fan, times: int) -> int:
    """How many of so many consents were signed."""
    signed = 0
    for number in range(times):
        try:
            fan.agree(fan.world.gift(TICKET | number))
            signed += 1
        except LimitReached:
            pass
    return signed


def lines(number: int) -> Deliveries:
    return Deliveries(1, [Line(TICKET | n, 0, OTHER, True, 4_500, b"r" * 16) for n in range(number)])


def test_a_wallet_signs_so_much_an_hour_and_a_day(world: World) -> None:
    fan = world.fan()
    assert agree(fan, 5) == 3
    with pytest.raises(LimitReached, match="3 of 3 are signed in an hour") as refused:
        fan.agree(world.gift())
    world.clock.forward(seconds=refused.value.extra["retry_after"] - 1)
    assert agree(fan, 1) == 0, "not a second sooner than was said"
    world.clock.forward(seconds=1)
    assert agree(fan, 5) == 2, "the day's limit is the lower one now"
    world.clock.forward(hours=12)
    assert agree(fan, 1) == 0
    world.clock.forward(hours=13)
    assert agree(fan, 5) == 3


def test_no_border_of_an_hour_lets_twice_as_much_through(world: World, monkeypatch: Patch) -> None:
    """Three just before the hour strikes, three just after: a counter for each hour of the clock would sign all six."""

    def across(fan: Fan) -> int:
        world.clock.now = world.clock.now.replace(minute=59, second=59)
        before = agree(fan, 3)
        world.clock.forward(seconds=2)
        return before + agree(fan, 3)

    assert across(world.fan()) == 3
    world.clock.forward(hours=30)

    def by_the_clock(entry: Any, subject: str, since: int) -> int:
        hour = entry.micros // 3_600_000_000
        query = "SELECT coalesce(sum(number), 0) FROM spent WHERE subject = ? AND minute / 60 = ?"
        return int(entry.db.execute(query, (subject, hour)).fetchone()[0])

    monkeypatch.setattr(limits, "_used", by_the_clock)
    assert across(world.fan()) == 6, "the control: such a counter is convicted"


def test_all_wallets_together_sign_so_much(world: World) -> None:
    assert [agree(world.fan(), 3) for _ in range(4)] == [3, 3, 2, 0]


def test_setting_the_clock_back_frees_nothing(world: World) -> None:
    fan = world.fan()
    world.clock.forward(hours=2)
    assert agree(fan, 3) == 3
    world.clock.forward(minutes=-30)
    assert agree(fan, 1) == 0


def test_what_is_refused_for_another_reason_uses_nothing_up(world: World) -> None:
    fan = world.fan()
    for _ in range(5):
        with pytest.raises(ProofRefused):
            world.desk.consent(fan.address, world.gift(), fan.proof(world.gift(TICKET | 1)))
    assert agree(fan, 3) == 3


def test_later_devices_are_enrolled_slowly_first_ones_as_they_come(world: World) -> None:
    fans = [world.fan() for _ in range(4)]
    for fan in fans[:2]:
        fan.enrol(new_passkey())
    with pytest.raises(LimitReached, match="new devices"):
        fans[2].enrol(new_passkey())
    assert world.desk.standing(fans[2].owner).held_until is None


def test_the_operator_sells_so_many_tickets_an_hour(world: World) -> None:
    world.desk.attest(lines(9))
    with pytest.raises(LimitReached, match="the operator's lines: 9 of 10"):
        world.desk.attest(lines(2))
    world.desk.attest(lines(1))
    world.clock.forward(minutes=61)
    world.desk.attest(lines(10))


def test_old_counts_are_forgotten(world: World) -> None:
    agree(world.fan(), 3)
    world.clock.forward(days=2)
    fan = world.fan()
    agree(fan, 1)
    rows = world.entry(lambda entry: entry.db.execute("SELECT DISTINCT subject FROM spent ORDER BY 1").fetchall())
    assert rows == [("all consents",), (f"moves of {fan.owner}",)]


# ------------------------------------------------------------------------------------------------ the switch


def test_while_it_is_stopped_nothing_is_signed_made_enrolled_or_dropped(world: World) -> None:
    fan, second = world.fan(), new_passkey()
    fan.enrol(second)
    public = world.desk.new_entry_key(1)
    challenge = world.desk.begin_enrolment(fan.owner)
    world.desk.stop("somebody is in")
    gift, desk = world.gift(), world.desk
    redeem = UnsignedTransaction(desk.relayer, 0, 100_000, 1, 1, selector_of("redeem") + bytes(64))
    asked: list[Any] = [
        lambda: desk.consent(fan.address, gift, fan.proof(gift)),
        lambda: desk.attest(lines(1)),
        lambda: desk.transaction(redeem),
        lambda: desk.filler(desk.relayer, 0, 1, 1),
        lambda: desk.wallet("fan_new"),
        lambda: desk.begin_enrolment(fan.owner),
        lambda: desk.enrol(fan.owner, registration(new_passkey(), challenge), "phone"),
        lambda: desk.drop_passkey(fan.owner, second.id, fan.proof(gift)),
        lambda: desk.new_entry_key(1),
        lambda: desk.sign_lease(public, b"ticketchain TC1 lease\0" + bytes(82)),
    ]
    before = desk.log_head()
    for ask in asked:
        with pytest.raises(SignerStopped, match="somebody is in"):
            ask()
    assert desk.log_head() == before
    desk.hold_moves(fan.owner, "while it is off")
    assert desk.wallet(fan.owner) == fan.address and desk.standing(fan.owner).causes
    desk.resume()
    world.clock.forward(hours=24)
    assert fan.agree(world.gift())


def test_the_switch_is_one_for_all_who_have_the_vault_open_and_outlasts_them(world: World) -> None:
    fan, beside = world.fan(), World.at(world.desk.vault.path.parent.parent, clock=world.clock)
    beside.desk.stop("seen from beside")
    with pytest.raises(SignerStopped):
        fan.agree(world.gift())
    beside.desk.resume()
    assert fan.agree(world.gift())
    beside.desk.vault.close()
    assert [row.kind for row in world.desk.log_entries(0, 100)][-3:] == ["stopped", "resumed", "consent"]


# ------------------------------------------------------------------------------------------------ many at once


def test_one_bad_request_spoils_none_beside_it(world: World) -> None:
    fan, thief, gift = world.fan(), world.fan(), world.gift()
    good = {"address": fan.address, "consent": gift, "proof": fan.proof(gift)}
    asked = [
        Request("consent", good),
        Request("consent", good | {"proof": thief.proof(gift)}),
        Request("consent", good | {"consent": replace(gift, epoch=1 << 80)}),
        Request("consent", {"address": fan.address}),
        Request("consent", good | {"address": "\ud800"}),
        Request("hold_moves", {"owner": fan.owner, "cause": 5}),
        Request("log_entries", {"after": 1 << 70, "limit": 1}),
        Request("nothing of the kind"),
        Request("_sweep", {"entry": None}),
        Request("attest", {"attestation": lines(1)}),
        Request("wallet", {"owner": "fan_new"}),
        Request("standing", {"owner": fan.owner}),
    ]
    answers = world.desk.handle_all(asked)
    assert [isinstance(answer, DomainError) for answer in answers] == [False] + 8 * [True] + 3 * [False]
    assert answers[0] == world.desk.consent(fan.address, gift, fan.proof(gift))
    assert world.desk.standing(fan.owner).causes == ()
    assert world.entry(lambda entry: log.problems(log.entries(entry.db, 0, 1_000))) == []


def test_what_the_vault_itself_refuses_spoils_none_beside_it(world: World, monkeypatch: Patch) -> None:
    """Two owners who would have one address: the table has each address once."""
    made = keys.new_key(Seal(Keyring(world.desk.vault.path.parent / "x.key"), 1), Purpose.WALLET, "fan_x")
    monkeypatch.setattr(keys, "new_key", lambda *_: made)
    asked = [Request("wallet", {"owner": "fan_a"}), Request("wallet", {"owner": "fan_b"}), Request("log_head")]
    first, second, head = world.desk.handle_all(asked)
    assert first == made.address and isinstance(second, DomainError) and head == world.desk.log_head()
    assert world.entry(lambda entry: log.problems(log.entries(entry.db, 0, 1_000))) == []


def test_the_limit_holds_within_a_batch_too(world: World) -> None:
    fan = world.fan()
    gifts = [world.gift(TICKET | number) for number in range(6)]
    asked = [Request("consent", {"address": fan.address, "consent": g, "proof": fan.proof(g)}) for g in gifts]
    answers = world.desk.handle_all(asked)
    assert [isinstance(answer, bytes) for answer in answers] == 3 * [True] + 3 * [False]


def test_a_log_that_cannot_be_written_lets_no_signature_out(world: World) -> None:
    fan, gift = world.fan(), world.gift()
    proof, address = fan.proof(gift), fan.address
    forbid = "CREATE TEMP TRIGGER full BEFORE INSERT ON main.log BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    world.entry(lambda entry: entry.db.execute(forbid))
    for ask in (
        lambda: world.desk.consent(address, gift, proof),
        lambda: world.desk.attest(lines(1)),
        lambda: world.desk.wallet("fan_unheard"),
    ):
        with pytest.raises(DomainError, match="nothing was signed"):
            ask()
    world.entry(lambda entry: entry.db.execute("DROP TRIGGER full"))
    assert world.entry(
        lambda e: e.db.execute("SELECT count(*) FROM wallets WHERE owner = 'fan_unheard'").fetchone()
    ) == (0,)
    assert world.desk.consent(address, gift, proof)
