"""Steps of holders: gifts, own wallets, swaps, revocations, activation, identity."""

from typing import Any

from tests.ledger_model.books import NO_LIMIT, Ticket
from tests.ledger_model.model_holders import ListedGift, Side
from tests.ledger_model.signing import NOTHING, Consent
from tests.ledger_model.steps_sales import SaleSteps


class HolderSteps(SaleSteps):
    """What holders do."""

    def do_gift(self) -> None:
        """By consent."""
        ticket = self.held()
        if ticket is None:
            return
        line = self._gift(ticket)
        consent = self.consent(ticket.holder, "Gift", *line)
        event = self.model.events.get(ticket.event)
        listed = event is not None and event.terms.gift_root != bytes(32)
        if (listed and not self.wrong()) or self.chance(0.1):
            proof = self.proof(line.to)
            self.call(self.anyone(), "gift_listed", line, consent, () if self.wrong() else proof)
        else:
            self.call(self.anyone(), "gift", *line, consent)

    def do_gift_round(self) -> None:
        """One ticket is given again and again, where the terms have no limit."""
        free = [
            ticket
            for ticket in self.model.tickets.values()
            if ticket.holder in self.cast.keys and self.model.events[ticket.event].terms.gift_limit == NO_LIMIT
        ]
        if not free:
            return
        ticket = self.pick(free)
        for _ in range(8):
            to, custodied = self.pick(self.cast.fans), self.chance(0.7)
            line = ListedGift(ticket.id, ticket.epoch, to, custodied, self.model.now)
            if to != ticket.holder and not self.call(
                self.anyone(), "gift", *line, self.consent(ticket.holder, "Gift", *line)
            ):
                return

    def _gift(self, ticket: Ticket) -> ListedGift:
        to, custodied = self.recipient()
        event = self.model.events.get(ticket.event)
        if event and event.terms.gift_root != bytes(32) and self.chance(0.8):
            to = self.pick(self.listed())
        return ListedGift(self.strange_id(ticket.id), self.epoch(ticket), to, custodied, self.deadline())

    def do_transfer(self) -> None:
        """The ERC-721 way."""
        ticket = self.held() if self.wrong() else self.held(custodied=False)
        if ticket is None:
            return
        owner = self.model.owner(ticket)
        sender = ticket.holder if ticket.holder in self.accounts[:13] or self._is_wallet(ticket.holder) else owner
        if sender not in self.accounts or sender in (self.cast.smart, self.cast.market):
            return
        to = self.pick((self.cast.market, self.cast.smart)) if self.chance(0.2) else self.recipient()[0]
        giver = self.pick(self.cast.fans) if self.wrong() else owner
        sender = self.cast.stranger if self.wrong() else sender
        id = self.pick((ticket.id + 1_000, ticket.id | 1 << 64)) if self.wrong() else ticket.id
        args: tuple[Any, ...] = (giver, to, id)
        kind = self.number(0, 3)
        name = "transfer_from" if kind < 2 else "safe_transfer_from"
        self.call(sender, name, *(args if kind < 3 else (*args, b"with love")))

    def _is_wallet(self, account: int) -> bool:
        return any(wallet.address == account for wallet in self.cast.wallets)

    # ------------------------------------------------------------------------------------------------ own wallets

    def do_register_wallet(self) -> None:
        """A wallet, or a fan's other key, for a custodied account."""
        account = self.pick(self.cast.fans)
        sender = self.pick((*(wallet.address for wallet in self.cast.wallets), *self.cast.fans[2:]))
        deadline = self.deadline()
        consent = self.consent(account, "RegisterWallet", account, sender, deadline)
        self.call(sender, "register_wallet", account, deadline, consent)

    def do_house(self) -> None:
        """Out of custody or into it."""
        ticket = self.held()
        if ticket is None:
            return
        into = not ticket.custodied
        into = not into if self.chance(0.08) else into
        to, epoch, deadline = self._home(ticket, into), self.epoch(ticket), self.deadline()
        kind, name = ("Deposit", "deposit") if into else ("Withdraw", "withdraw")
        consent = self.consent(ticket.holder, kind, ticket.id, epoch, to, deadline)
        self.call(self.anyone(), name, ticket.id, epoch, to, deadline, consent)

    def _home(self, ticket: Ticket, into: bool) -> int:
        """The person's other account, mostly."""
        mine = [wallet for wallet, (account, _) in self.model.wallets.items() if account == ticket.holder]
        if into and ticket.holder in self.model.wallets and self.chance(0.8):
            return self.model.wallets[ticket.holder][0]
        if not into and mine and self.chance(0.8):
            return self.pick(mine)
        return self.recipient()[0]

    # ------------------------------------------------------------------------------------------------ swap

    def do_swap(self) -> None:
        """Two tickets of one event, mostly of one face."""
        ticket = self.held()
        if ticket is None:
            return
        face = self.model.face(ticket.id)
        others = [
            other
            for other in self.model.tickets.values()
            if other.event == ticket.event
            and other.holder
            and (other.holder != ticket.holder or self.wrong())
            and (self.model.face(other.id) == face or self.wrong())
        ]
        other = self.pick(others) if others and not self.wrong() else self.held()
        if other is None:
            return
        epochs = (self.epoch(ticket), self.epoch(other))
        one = self._side(ticket, epochs[0], other.id, epochs[1])
        self.call(self.anyone(), "swap", one, self._side(other, epochs[1], ticket.id, epochs[0]))

    def _side(self, ticket: Ticket, epoch: int, other: int, other_epoch: int) -> Side:
        deadline = self.deadline()
        consent = self.consent(ticket.holder, "Swap", ticket.id, epoch, other, other_epoch, deadline)
        return Side(ticket.id, epoch, deadline, consent)

    # ------------------------------------------------------------------------------------------------ no new holder

    def by_holder(self, ticket: Ticket, kind: str, epoch: int, deadline: int) -> tuple[int, Consent]:
        """Sent by the holder itself, or by anyone with its consent."""
        can_send = ticket.holder in self.cast.fans or self._is_wallet(ticket.holder)
        if can_send and self.chance(0.05 if ticket.custodied else 0.5):
            return (self.cast.stranger if self.wrong() else ticket.holder), NOTHING
        return self.anyone(), self.consent(ticket.holder, kind, ticket.id, epoch, deadline)

    def do_revoke(self) -> None:
        """All that was signed is dead."""
        ticket = self.held()
        if ticket:
            epoch, deadline = self.epoch(ticket), self.deadline()
            sender, consent = self.by_holder(ticket, "Revoke", epoch, deadline)
            self.call(sender, "revoke", ticket.id, epoch, deadline, consent)

    def do_activate(self) -> None:
        """No more moves."""
        ticket = self.held()
        if ticket:
            epoch, deadline = self.epoch(ticket), self.deadline()
            consent = self.consent(ticket.holder, "Activate", ticket.id, epoch, deadline)
            self.call(self.anyone(), "activate", ticket.id, epoch, deadline, consent)

    def do_commit_identity(self) -> None:
        """A salted hash of a name."""
        ticket = self.held()
        known = [
            ticket for ticket in self.model.tickets.values() if ticket.holder and ticket.epoch in ticket.identities
        ]
        ticket = self.pick(known) if known and self.chance(0.2) else ticket
        if ticket:
            epoch, deadline, commitment = self.epoch(ticket), self.deadline(), self.ref() * 2
            consent = self.consent(ticket.holder, "Identity", ticket.id, epoch, commitment, deadline)
            self.call(self.anyone(), "commit_identity", ticket.id, epoch, commitment, deadline, consent)
