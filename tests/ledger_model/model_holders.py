"""The model's holders: what becomes of a ticket by its holder's consent."""

from collections.abc import Sequence
from typing import NamedTuple

from eth_hash.auto import keccak

from tests.ledger_model.books import Event, Ticket
from tests.ledger_model.moves import Moves
from tests.ledger_model.refusals import Problem, Refused, check, ledger_error
from tests.ledger_model.signing import NOTHING, Consent, Message
from tests.ledger_model.words import event_of


class Side(NamedTuple):
    """One of two tickets that change places."""

    id: int
    epoch: int
    deadline: int
    consent: Consent


class ListedGift(NamedTuple):
    """A gift to a listed account."""

    id: int
    epoch: int
    to: int
    custodied: bool
    deadline: int


def leaf(account: int) -> bytes:
    """An account in the list of those that gifts may go to."""
    return bytes(keccak(keccak(account.to_bytes(32, "big"))))


def pair(one: bytes, other: bytes) -> bytes:
    """Two neighbours in the tree, in order."""
    return bytes(keccak(min(one, other) + max(one, other)))


class Holders(Moves):
    """Gifts, own wallets, swaps, revocations, activation, identity."""

    def gift(self, sender: int, id: int, epoch: int, to: int, custodied: bool, deadline: int, consent: Consent) -> None:
        """By consent; anyone sends it."""
        self._gift(ListedGift(id, epoch, to, custodied, deadline), consent, False)

    def gift_listed(self, sender: int, line: ListedGift, consent: Consent, proof: Sequence[bytes]) -> None:
        """To an account on the event's list."""
        event = self.events.get(event_of(line.id))
        node = leaf(line.to)
        for sibling in proof:
            node = pair(node, sibling)
        self._gift(line, consent, event is not None and node == event.terms.gift_root)

    def _gift(self, line: ListedGift, consent: Consent, listed: bool) -> None:
        ticket = self.ticket(line.id)
        check(self.gift_problem(ticket, line.epoch, line.to, line.custodied, listed))
        check(self.consent_problem(ticket, line.deadline, consent, ("Gift", *line)))
        self._give_away(ticket, line.to, line.custodied)

    def _give_away(self, ticket: Ticket, to: int, custodied: bool) -> None:
        giver = ticket.holder
        self.give(ticket, to, custodied)
        self.emit("Given", ticket.id, giver, to, custodied, ticket.epoch)

    def transfer_from(self, sender: int, giver: int, to: int, token_id: int) -> None:
        """The ERC-721 way: a gift by the holder itself."""
        self._give_away(self._transferable(sender, giver, to, token_id), to, False)

    def safe_transfer_from(self, sender: int, giver: int, to: int, token_id: int, data: bytes = b"") -> None:
        """The same; a recipient with code must take it."""
        ticket = self._transferable(sender, giver, to, token_id)
        code = self.codes.get(to)
        if code is not None and not code.receives:
            raise Refused("ERC721InvalidReceiver", to)
        self._give_away(ticket, to, False)

    def approve(self, sender: int, to: int, token_id: int) -> None:
        """Approvals do not exist."""
        raise ledger_error("ApprovalsDisabled")

    def set_approval_for_all(self, sender: int, operator: int, approved: bool) -> None:
        """Approvals do not exist."""
        raise ledger_error("ApprovalsDisabled")

    def _transferable(self, sender: int, giver: int, to: int, token_id: int) -> Ticket:
        ticket = self.ticket(token_id)
        owner = self.owner(ticket)
        if owner == 0:
            raise Refused("ERC721NonexistentToken", token_id)
        if giver != owner:
            raise Refused("ERC721IncorrectOwner", giver, token_id, owner)
        if sender != owner:
            raise Refused("ERC721InsufficientApproval", sender, token_id)
        check(self.gift_problem(ticket, ticket.epoch, to, False))
        return ticket

    # ------------------------------------------------------------------------------------------------ own wallets

    def register_wallet(self, sender: int, account: int, deadline: int, consent: Consent) -> None:
        """The sender is an own wallet of this account from now on."""
        if sender in self.wallets:
            raise ledger_error("WalletTaken", sender, self.wallets[sender][0])
        if account == sender or not self.is_fit(sender, False):
            raise ledger_error("RefusedAccount", sender)
        self.require_signed(account, deadline, consent, ("RegisterWallet", account, sender, deadline))
        self.wallets[sender] = (account, self.now)
        self.emit("WalletRegistered", account, sender)

    def require_signed(self, account: int, deadline: int, consent: Consent, message: Message) -> None:
        """An account's own key signed, in time."""
        if self.now > deadline or not consent.is_by_key(account, message):
            raise ledger_error("BadSignature", account)

    def withdraw(self, sender: int, id: int, epoch: int, to: int, deadline: int, consent: Consent) -> None:
        """Out of custody."""
        ticket = self.ticket(id)
        counted = not self._is_own_wallet(to, ticket.holder, ticket)
        self._house(ticket, epoch, to, False, counted, deadline, consent)

    def deposit(self, sender: int, id: int, epoch: int, to: int, deadline: int, consent: Consent) -> None:
        """Into custody."""
        ticket = self.ticket(id)
        counted = not self._is_own_wallet(ticket.holder, to, ticket)
        self._house(ticket, epoch, to, True, counted, deadline, consent)

    def _is_own_wallet(self, wallet: int, account: int, ticket: Ticket) -> bool:
        owner, since = self.wallets.get(wallet, (0, 0))
        return owner != 0 and owner == account and since <= ticket.since

    def _house(
        self, ticket: Ticket, epoch: int, to: int, custodied: bool, counted: bool, deadline: int, consent: Consent
    ) -> None:
        check(self._housing_problem(ticket, epoch, to, custodied, counted))
        kind, event = ("Deposit", "Deposited") if custodied else ("Withdraw", "Withdrawn")
        check(self.consent_problem(ticket, deadline, consent, (kind, ticket.id, epoch, to, deadline)))
        holder = ticket.holder
        (self.give if counted else self.rehouse)(ticket, to, custodied)
        self.emit(event, ticket.id, holder, to, counted, ticket.epoch)

    def _housing_problem(self, ticket: Ticket, epoch: int, to: int, custodied: bool, counted: bool) -> Problem:
        problem = self.move_problem(ticket, epoch)
        if problem:
            return problem
        if ticket.custodied == custodied:
            return ledger_error("WrongCustody", ticket.id)
        if counted:
            return self.gift_problem(ticket, epoch, to, custodied)
        return self.receiver_problem(ticket, to, custodied)

    # ------------------------------------------------------------------------------------------------ swap

    def swap(self, sender: int, one: Side, other: Side) -> None:
        """Two holders of one event and face price."""
        event = event_of(one.id)
        if event_of(other.id) != event:
            raise ledger_error("OtherEvent", other.id, event)
        if self.face(one.id) != self.face(other.id):
            raise ledger_error("UnequalFace", one.id, self.face(one.id), self.face(other.id))
        ticket, second = self.ticket(one.id), self.ticket(other.id)
        self._check_side(one, other, ticket, second)
        self._check_side(other, one, second, ticket)
        place = (ticket.holder, ticket.custodied)
        self.give(ticket, second.holder, second.custodied)
        self.give(second, *place)
        self.emit("Swapped", one.id, other.id, ticket.holder, second.holder, ticket.epoch, second.epoch)

    def _check_side(self, side: Side, other: Side, ticket: Ticket, second: Ticket) -> None:
        check(self.giving_problem(ticket, side.epoch))
        if second.holder == ticket.holder or not self.is_fit(second.holder, second.custodied):
            raise ledger_error("RefusedAccount", second.holder)
        message = ("Swap", side.id, side.epoch, other.id, other.epoch, side.deadline)
        check(self.consent_problem(ticket, side.deadline, side.consent, message))

    # ------------------------------------------------------------------------------------------------ no new holder

    def free_ticket(self, id: int, epoch: int) -> Ticket:
        """The ticket, which may move now."""
        ticket = self.ticket(id)
        check(self.move_problem(ticket, epoch))
        return ticket

    def require_agreed(self, sender: int, ticket: Ticket, deadline: int, consent: Consent, message: Message) -> None:
        """The holder is the caller, not custodied, or signed."""
        by_holder = consent == NOTHING and not ticket.custodied and sender == ticket.holder
        if not by_holder:
            check(self.consent_problem(ticket, deadline, consent, message))

    def revoke(self, sender: int, id: int, epoch: int, deadline: int, consent: Consent) -> None:
        """All that was signed before is dead."""
        ticket = self.free_ticket(id, epoch)
        self.require_agreed(sender, ticket, deadline, consent, ("Revoke", id, epoch, deadline))
        ticket.epoch += 1
        self.emit("Revoked", id, ticket.holder, ticket.epoch)

    def activate(self, sender: int, id: int, epoch: int, deadline: int, consent: Consent) -> None:
        """It never moves again."""
        ticket = self.free_ticket(id, epoch)
        check(self.consent_problem(ticket, deadline, consent, ("Activate", id, epoch, deadline)))
        ticket.activated = True
        self.emit("Activated", id, ticket.holder, epoch)
        self.emit("Locked", id)

    def commit_identity(
        self, sender: int, id: int, epoch: int, commitment: bytes, deadline: int, consent: Consent
    ) -> None:
        """Until it moves."""
        event: Event | None = self.events.get(event_of(id))
        if event is None or not event.terms.identity:
            raise ledger_error("NotInTerms", event_of(id))
        ticket = self.ticket(id)
        check(self.held_problem(ticket, epoch))
        check(self.consent_problem(ticket, deadline, consent, ("Identity", id, epoch, commitment, deadline)))
        if any(ticket.identities.get(epoch, b"")):
            raise ledger_error("AlreadyCommitted", id, epoch)
        ticket.identities[epoch] = commitment
        self.emit("IdentityCommitted", id, ticket.holder, epoch, commitment)
