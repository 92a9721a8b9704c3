"""The rules of moving: each answers with the first thing in the way, or None. Nothing here changes anything."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.ledger_model.books import (
    ADMIN,
    CANCELLED,
    LAST_EPOCH,
    LIVE,
    NO_LIMIT,
    RELAYER,
    Event,
    Ticket,
    Token,
)
from tests.ledger_model.refusals import Args, Problem, Refused, ledger_error
from tests.ledger_model.signing import Consent, Message, Signed
from tests.ledger_model.words import U40, event_of

BPS = 10_000


class Code(NamedTuple):
    """Code at an address: its hash; whether it is an EIP-7702 delegation; whose key it accepts, if any; whether it
    takes ERC-721 tickets."""

    hash: bytes
    delegation: bool = False
    signer: int = 0
    receives: bool = False


class Book:
    """All that the ledger remembers, and what it can tell of it."""

    def __init__(self, address: int, admin: int, codes: Mapping[int, Code], tokens: tuple[int, ...]) -> None:
        self.address = address
        self.now = 0
        self.codes = codes
        self.tokens = {token: Token(token) for token in tokens}
        self.roles: dict[tuple[int, int], int] = {(0, admin): ADMIN}
        self.allowed_code: set[bytes] = set()
        self.allowed_tokens: set[int] = set()
        self.events: dict[int, Event] = {}
        self.tickets: dict[int, Ticket] = {}
        self.credits: dict[tuple[int, int], int] = {}
        self.claims: dict[int, int] = {}
        self.wallets: dict[int, tuple[int, int]] = {}
        self.logs: list[tuple[str, Args]] = []

    # ------------------------------------------------------------------------------------------------ looking

    def ticket(self, id: int) -> Ticket:
        """The ticket, as never sold if nothing is known of it."""
        return self.tickets.get(id) or Ticket(id)

    def is_issued(self, id: int) -> bool:
        """Whether a batch has this ticket."""
        event = self.events.get(event_of(id))
        number = id >> 16 & 0xFF
        return event is not None and number < len(event.batches) and id & 0xFFFF < event.batches[number].supply

    def face(self, id: int) -> int:
        """Face price of the ticket's batch; 0 if there is none."""
        event = self.events.get(event_of(id))
        number = id >> 16 & 0xFF
        return event.batches[number].face if event is not None and number < len(event.batches) else 0

    def owner(self, ticket: Ticket) -> int:
        """Owner as ERC-721 has it."""
        return self.address if ticket.custodied else ticket.holder

    def holding(self, event: int, account: int) -> int:
        """Tickets of the event that the account holds."""
        return sum(1 for ticket in self.tickets.values() if ticket.holder == account and ticket.event == event)

    def balance(self, owner: int) -> int:
        """Tickets the account owns."""
        return sum(1 for ticket in self.tickets.values() if ticket.holder and self.owner(ticket) == owner)

    def has_role(self, scope: int, account: int, role: int) -> bool:
        """Whether the account has this role itself."""
        return bool(self.roles.get((scope, account), 0) & role)

    # ------------------------------------------------------------------------------------------------ who

    def require_role(self, scope: int, account: int, role: int) -> None:
        """The account itself has the role."""
        if not self.has_role(scope, account, role):
            raise ledger_error("Unauthorized", scope, role, account)

    def require_event_role(self, event: Event, account: int, role: int) -> None:
        """The account has the role, or is a relayer while the organizer delegates."""
        if not (event.delegated and self.has_role(0, account, RELAYER)):
            self.require_role(event.id, account, role)

    def known(self, event: int) -> Event:
        """The event, which must exist."""
        if event not in self.events:
            raise ledger_error("UnknownEvent", event)
        return self.events[event]

    def is_fit(self, account: int, custodied: bool) -> bool:
        """Whether the account may get tickets: nobody's, ours and a stranger's code may not."""
        if account in (0, self.address):
            return False
        code = self.codes.get(account)
        return custodied or code is None or code.delegation or code.hash in self.allowed_code

    # ------------------------------------------------------------------------------------------------ signatures

    def is_agreed(self, ticket: Ticket, consent: Consent, message: Message) -> bool:
        """Whether the holder signed: code judges for itself, unless the holder is custodied."""
        code = None if ticket.custodied else self.codes.get(ticket.holder)
        if code is None:
            return consent.is_by_key(ticket.holder, message)
        # Our wallets take the 65 bytes only.
        return isinstance(consent, Signed) and consent.form == "long" and consent.is_by_key(code.signer, message)

    def consent_problem(self, ticket: Ticket, deadline: int, consent: Consent, message: Message) -> Problem:
        """The holder agreed, and in time."""
        if self.now > deadline:
            return ledger_error("Expired", ticket.id, deadline)
        if not self.is_agreed(ticket, consent, message):
            return ledger_error("BadConsent", ticket.id, ticket.holder)
        return None

    def require_attested(self, attestation: Consent, message: Message) -> None:
        """An attestor signed."""
        by_attestor = isinstance(attestation, Signed) and self.has_role(0, attestation.signer, 4)
        if not (by_attestor and attestation.is_by_key(attestation.signer, message)):
            raise ledger_error("BadAttestation")

    # ------------------------------------------------------------------------------------------------ state of a ticket

    def epoch_problem(self, ticket: Ticket, epoch: int) -> Refused:
        """What is wrong with the epoch: another one, or else the last."""
        if epoch != ticket.epoch:
            return ledger_error("StaleEpoch", ticket.id, epoch, ticket.epoch)
        return ledger_error("LastEpoch", ticket.id)

    def held_problem(self, ticket: Ticket, epoch: int) -> Problem:
        """Held at this epoch and not used."""
        if ticket.redeemed:
            return ledger_error("AlreadyRedeemed", ticket.id)
        if ticket.voided:
            return ledger_error("Voided", ticket.id)
        if not ticket.holder:
            return ledger_error("NotHeld" if self.is_issued(ticket.id) else "NoSuchTicket", ticket.id)
        return None if epoch == ticket.epoch else self.epoch_problem(ticket, epoch)

    def move_problem(self, ticket: Ticket, epoch: int) -> Problem:
        """Held at this epoch, not used, not stopped, with an epoch left; not cancelled; moves open."""
        problem = self.held_problem(ticket, epoch)
        if problem:
            return problem
        if ticket.activated or ticket.frozen:
            return ledger_error("Stopped", ticket.id, ticket.flags())
        if epoch == LAST_EPOCH:
            return ledger_error("LastEpoch", ticket.id)
        event = self.events[ticket.event]
        if event.status == CANCELLED:
            return ledger_error("Cancelled", event.id)
        if self.now >= event.schedule.moves_close_at:
            return ledger_error("MovesClosed", ticket.id, event.schedule.moves_close_at)
        return None

    def rested_problem(self, ticket: Ticket, epoch: int) -> Problem:
        """May move, and the last move is long enough ago."""
        problem = self.move_problem(ticket, epoch)
        if problem:
            return problem
        until = ticket.since + self.events[ticket.event].terms.cooldown
        return ledger_error("Cooldown", ticket.id, until) if self.now < until else None

    def stock_problem(self, ticket: Ticket, epoch: int) -> Problem:
        """In stock at this epoch, with one left; the pool is not stock, though nobody holds what is in it."""
        if not self.is_issued(ticket.id):
            return ledger_error("NoSuchTicket", ticket.id)
        if ticket.seller:
            return ledger_error("NotInStock", ticket.id)
        return self.vacant_problem(ticket, epoch)

    def vacant_problem(self, ticket: Ticket, epoch: int) -> Problem:
        """Nobody's, at this epoch, with one left."""
        if ticket.voided:
            return ledger_error("Voided", ticket.id)
        if ticket.holder:
            return ledger_error("NotInStock", ticket.id)
        if epoch != ticket.epoch or epoch == LAST_EPOCH:
            return self.epoch_problem(ticket, epoch)
        return None

    # ------------------------------------------------------------------------------------------------ gifts

    def giving_problem(self, ticket: Ticket, epoch: int) -> Problem:
        """May be given away."""
        problem = self.rested_problem(ticket, epoch)
        if problem:
            return problem
        event = self.events[ticket.event]
        if self.now > event.schedule.gifts_close_at:
            return ledger_error("GiftsClosed", ticket.id, event.schedule.gifts_close_at)
        limit = event.terms.gift_limit
        if limit != NO_LIMIT and ticket.gifts >= limit:
            return ledger_error("GiftLimit", ticket.id, limit)
        return None

    def gift_problem(self, ticket: Ticket, epoch: int, to: int, custodied: bool, listed: bool = False) -> Problem:
        """May be given to this account."""
        problem = self.giving_problem(ticket, epoch)
        if problem:
            return problem
        event = self.events[ticket.event]
        if to == ticket.holder or not self.is_fit(to, custodied):
            return ledger_error("RefusedAccount", to)
        if event.terms.gift_root != bytes(32) and not listed:
            return ledger_error("NotListed", to)
        return self.full_problem(event, ticket.holder, to)

    def full_problem(self, event: Event, holder: int, to: int) -> Problem:
        """The account may hold one more."""
        limit = event.terms.holder_limit
        if limit and holder != to and self.holding(event.id, to) >= limit:
            return ledger_error("HolderLimit", to, limit)
        return None

    # ------------------------------------------------------------------------------------------------ resales

    def cap(self, event: Event, face: int) -> int:
        """Highest price by the face."""
        return min(face * event.terms.cap_bps // BPS, U40)

    def resale_cap(self, ticket: Ticket) -> int:
        """Highest price for this seller."""
        event = self.events[ticket.event]
        cap = self.cap(event, self.face(ticket.id))
        return min(cap, ticket.price) if event.terms.cap_at_paid else cap

    def royalty(self, event: Event, price: int, face: int) -> int:
        """Of the larger of price and face, at most the price."""
        return min(price, max(price, face) * event.terms.royalty_bps // BPS)

    def resale_problem(self, ticket: Ticket, epoch: int, price: int) -> Problem:
        """May be resold at this price."""
        problem = self.rested_problem(ticket, epoch)
        if problem:
            return problem
        event = self.events[ticket.event]
        opens, closes = event.schedule.resale_opens_at, event.schedule.resale_closes_at
        if not opens <= self.now <= closes:
            return ledger_error("ResaleClosed", ticket.id, opens, closes)
        cap = self.resale_cap(ticket)
        if price > cap:
            return ledger_error("OverCap", ticket.id, price, cap)
        return self.sale_problem(event)

    def receiver_problem(self, ticket: Ticket, to: int, custodied: bool) -> Problem:
        """Somebody else, fit for a ticket, who may hold one more."""
        if to == ticket.holder or not self.is_fit(to, custodied):
            return ledger_error("RefusedAccount", to)
        return self.full_problem(self.events[ticket.event], ticket.holder, to)

    def sale_problem(self, event: Event) -> Problem:
        """Neither paused nor cancelled."""
        return None if event.status == LIVE else ledger_error("NotOnSale", event.id, event.status)
