"""After a new device or mail address nothing moves for a day, and no order of doing things gets round that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.signer.world import Fan, World, assertion, new_passkey
from ticketchain.demo.passkey import SoftPasskey
from ticketchain.domain.errors import MovesOnHold, ProofRefused, SignerRefused
from ticketchain.domain.proofs import drop_challenge
from ticketchain.signer import holds, passkeys
from ticketchain.signer.fans import Fans

DAY = timedelta(hours=24)
Patch = pytest.MonkeyPatch


def drop(fan: Fan, dropped: SoftPasskey, by: SoftPasskey) -> None:
    proof = assertion(by, drop_challenge(fan.owner, dropped.id))
    fan.world.desk.drop_passkey(fan.owner, dropped.id, proof)


def test_the_first_passkey_of_a_new_wallet_is_good_at_once(world: World, fan: Fan) -> None:
    standing = world.desk.standing(fan.owner)
    assert [(each.id, each.active_from) for each in standing.passkeys] == [(fan.passkey.id, world.clock())]
    assert (standing.held_until, standing.causes) == (None, ())
    assert fan.agree(world.gift())


@pytest.mark.parametrize(("after", "held"), [(timedelta(hours=1), False), (timedelta(hours=1, microseconds=1), True)])
def test_the_first_passkey_of_an_older_wallet_waits_a_day(world: World, after: timedelta, held: bool) -> None:
    fan = Fan(world, "fan_late")
    assert fan.address
    world.clock.now += after
    enrolled = fan.enrol(fan.passkey)
    assert (enrolled.active_from - world.clock()) == (DAY if held else timedelta(0))
    assert (world.desk.standing(fan.owner).held_until is not None) == held


def test_a_new_device_holds_all_moves_for_a_day_those_of_the_old_device_too(world: World, fan: Fan) -> None:
    second = new_passkey()
    fan.enrol(second)
    standing = world.desk.standing(fan.owner)
    assert (standing.held_until, standing.causes) == (world.clock() + DAY, ("a new device",))
    with pytest.raises(MovesOnHold, match="a new device") as refused:
        fan.agree(world.gift())
    assert refused.value.extra["until"] == (world.clock() + DAY).isoformat()
    with pytest.raises(ProofRefused, match="moves nothing before"):
        fan.agree(world.gift(), second)
    world.clock.forward(hours=24, microseconds=-1)
    with pytest.raises(SignerRefused):
        fan.agree(world.gift(), second)
    world.clock.forward(microseconds=1)
    assert fan.agree(world.gift()) and fan.agree(world.gift(), second)


def test_dropping_the_new_device_lifts_its_own_hold_and_no_other(world: World, fan: Fan) -> None:
    second, third = new_passkey(), new_passkey()
    fan.enrol(second)
    fan.enrol(third)
    world.desk.hold_moves(fan.owner, "a changed mail address")
    drop(fan, second, by=fan.passkey)
    drop(fan, third, by=fan.passkey)
    assert world.desk.standing(fan.owner).causes == ("a changed mail address",)
    world.clock.forward(hours=24)
    assert fan.agree(world.gift())


def test_nobody_shortens_a_hold_and_asking_again_makes_it_longer(world: World, fan: Fan) -> None:
    first = world.desk.hold_moves(fan.owner, "mail")
    world.clock.forward(hours=1)
    assert world.desk.hold_moves(fan.owner, "mail") == first + timedelta(hours=1)
    assert world.desk.standing(fan.owner).held_until == first + timedelta(hours=1)
    world.clock.forward(hours=-5)  # a clock that is set back
    world.desk.hold_moves(fan.owner, "mail")
    assert world.desk.standing(fan.owner).held_until == first + timedelta(hours=1)


def test_holds_of_one_owner_are_not_anothers(world: World, fan: Fan) -> None:
    world.desk.hold_moves(world.fan().owner, "mail")
    assert fan.agree(world.gift())


# ------------------------------------------------------------------------------------------------ evasion


def enrol_twice(fan: Fan, thief: SoftPasskey) -> None:
    """The thief's device, dropped by the fan's own (the fan was tricked once), and then a second one."""
    first = new_passkey()
    fan.enrol(first)
    drop(fan, first, by=fan.passkey)
    fan.enrol(thief)


def drop_all_and_be_new(fan: Fan, thief: SoftPasskey) -> None:
    """The owner has no passkey any more, within an hour of the wallet's making; so the next one would be the first."""
    fan.world.entry(lambda entry: passkeys.drop(entry, fan.owner, fan.passkey.id))
    fan.enrol(thief)


def enrol_and_kick_out(fan: Fan, thief: SoftPasskey) -> None:
    """The thief's new device drops the fan's, to be the only one."""
    fan.enrol(thief)
    with pytest.raises(ProofRefused, match="moves nothing before"):
        drop(fan, fan.passkey, by=thief)


EVASIONS = {
    "enrol, drop, enrol": enrol_twice,
    "drop the last one and be new": drop_all_and_be_new,
    "enrol and kick out": enrol_and_kick_out,
}


def _good_at_once(patch: Patch) -> None:
    """The broken desk: it asks neither how old a passkey is nor for holds."""
    patch.setattr(Fans, "_active_from", lambda self, entry, owner: entry.now)
    patch.setattr(holds, "refuse_while_held", lambda entry, owner: None)


@pytest.mark.parametrize("evade", EVASIONS.values(), ids=EVASIONS.keys())
def test_a_hold_is_not_evaded_and_a_desk_without_it_is_convicted(
    world: World, evade: Callable[[Fan, SoftPasskey], None], monkeypatch: Patch
) -> None:
    fan, thief = world.fan(), new_passkey()
    evade(fan, thief)
    for _ in range(4):
        with pytest.raises(SignerRefused, match=r"moves nothing before|on hold"):
            fan.agree(world.gift(), thief)
        world.clock.forward(hours=6, microseconds=-1)
    world.clock.forward(microseconds=4)
    assert fan.agree(world.gift(), thief), "a day later it is everybody's own fault not to have read the mail"
    if evade is not enrol_and_kick_out:
        _good_at_once(monkeypatch)
        victim, other = world.fan(), new_passkey()
        evade(victim, other)
        assert victim.agree(world.gift(), other)


def test_a_hold_outlasts_a_restart(world: World, fan: Fan, tmp_path: object) -> None:
    world.desk.hold_moves(fan.owner, "mail")
    folder = world.desk.vault.path.parent.parent
    world.desk.vault.close()
    again = World.at(folder, clock=world.clock)
    assert again.desk.standing(fan.owner).causes == ("mail",)
    again.desk.vault.close()


def test_devices_that_wait_can_be_dropped_by_anyone_and_their_holds_stay(world: World, fan: Fan) -> None:
    second = new_passkey()
    fan.enrol(second)
    until = world.clock() + DAY
    world.desk.drop_waiting(fan.owner)
    standing = world.desk.standing(fan.owner)
    assert [each.id for each in standing.passkeys] == [fan.passkey.id] and standing.held_until == until
    world.clock.forward(hours=24)
    with pytest.raises(ProofRefused, match="none of the owner's"):
        fan.agree(world.gift(), second)
    world.desk.drop_waiting(fan.owner)  # an active one stays
    assert fan.agree(world.gift())
