"""Sales, gifts, resales and redemptions in any order: each seat has one holder, and none is born or lost."""

import brownie
from brownie.test import strategy

SEATS, FACE, CAP = 6, 10_000, 11_000


class Seat:
    """What the ledger should say of a seat."""

    def __init__(self):
        self.holder, self.custodied, self.epoch, self.used = None, False, 0, False

    def move(self, holder, custodied):
        """To another holder, one epoch further."""
        self.holder, self.custodied, self.epoch = holder, custodied, self.epoch + 1

    @property
    def moves(self):
        """Whether its holder may still give it away or sell it."""
        return self.holder is not None and not self.used


class Life:
    """Rules in random order. Brownie passes fresh draws of the strategies of the same names."""

    index = strategy("uint8", max_value=SEATS - 1)
    fan = strategy("uint8", max_value=2)
    custodied = strategy("bool")
    price = strategy("uint16", max_value=2 * CAP)

    def __init__(self, stage):
        """Once, for all runs: Brownie calls it with the class."""
        self.stage = stage

    def setup(self):
        """Before each run."""
        self.seats = [Seat() for _ in range(SEATS)]

    def rule_deliver(self, index, fan, custodied):
        """From stock, once."""
        seat, buyer = self.seats[index], self.stage.fans[fan]
        problem = self.stage.problem(self.stage.deliver(index, seat.epoch, buyer, custodied))
        if seat.holder is None:
            assert problem is None
            seat.move(buyer, custodied)
        else:
            assert problem == "Ledger_NotInStock"

    def rule_gift(self, index, fan, custodied):
        """By its holder's consent, to someone else."""
        seat, to = self.seats[index], self.stage.fans[fan]
        if seat.moves and seat.holder != to:
            self.stage.gift(index, seat.epoch, seat.holder, to, custodied)
            seat.move(to, custodied)
        else:
            with brownie.reverts():
                self.stage.gift(index, seat.epoch, seat.holder or to, to, custodied)

    def rule_gift_without_consent(self, index, fan):
        """The recipient's own signature is none."""
        seat, thief = self.seats[index], self.stage.fans[fan]
        if seat.holder != thief:
            with brownie.reverts():
                self.stage.gift(index, seat.epoch, thief, thief, True)

    def rule_gift_by_an_old_consent(self, index, fan):
        """What was signed for an earlier epoch is dead."""
        seat, to = self.seats[index], self.stage.fans[fan]
        if seat.moves:
            with brownie.reverts():
                self.stage.gift(index, seat.epoch - 1, seat.holder, to, True)

    def rule_resell(self, index, fan, custodied, price):
        """By its holder's offer, at no more than the cap."""
        seat, buyer = self.seats[index], self.stage.fans[fan]
        seller = seat.holder or self.stage.fans[0]
        problem = self.stage.problem(self.stage.resell(index, seat.epoch, seller, buyer, custodied, price))
        if seat.moves and seller != buyer and price <= CAP:
            assert problem is None
            seat.move(buyer, custodied)
        elif seat.moves and price > CAP:
            assert problem == "Ledger_OverCap"
        else:
            assert problem is not None

    def rule_redeem(self, index):
        """Once."""
        seat = self.seats[index]
        problem = self.stage.problem(self.stage.redeem(index, seat.epoch))
        if seat.holder is None:
            assert problem == "Ledger_NotHeld"
        elif seat.used:
            assert problem == "Ledger_AlreadyRedeemed"
        else:
            assert problem is None
            seat.used = True

    def invariant_one_holder(self):
        """Each seat is as it should be; its ERC-721 owner is the holder, or the ledger while custodied."""
        ledger = self.stage.ledger
        for index, seat in enumerate(self.seats):
            ticket = ledger.ticketOf(self.stage.seat(index)).dict()
            holder = "0x" + "00" * 20 if seat.holder is None else seat.holder.address
            assert (ticket["holder"], ticket["epoch"], ticket["redeemed"]) == (holder, seat.epoch, seat.used)
            if seat.holder is not None:
                owner = ledger.ownerOf(self.stage.seat(index))
                assert owner == (ledger.address if seat.custodied else seat.holder.address)

    def invariant_supply(self):
        """The event has as many tickets as were issued, and owners' balances sum to those sold."""
        ledger, fans = self.stage.ledger, self.stage.fans
        assert [int(count) for count in ledger.suppliesOf(1, 0)] == [SEATS, SEATS]
        balances = [ledger.balanceOf(account) for account in (ledger.address, *(fan.address for fan in fans))]
        assert sum(balances) == sum(seat.holder is not None for seat in self.seats)


def test_any_order_of_moves(stage, state_machine):
    """Brownie's state machine over `Life`."""
    state_machine(Life, stage)
