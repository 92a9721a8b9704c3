"""The model's organizers: roles, lists, events, schedules, status."""

from tests.ledger_model.books import (
    ADMIN,
    ATTESTOR,
    CANCELLED,
    GATE,
    LIVE,
    ORGANIZER,
    PAUSED,
    RELAYER,
    Batch,
    Event,
    Schedule,
    Terms,
)
from tests.ledger_model.moves import Moves
from tests.ledger_model.refusals import ledger_error
from tests.ledger_model.rules import BPS
from tests.ledger_model.words import ticket_id

MOST_BATCHES = 255


def field(name: str) -> bytes:
    """Name of a bad field, as errors have it."""
    return name.encode().ljust(32, b"\0")


class Events(Moves):
    """Roles, lists, events."""

    def set_roles(self, sender: int, event: int, account: int, roles: int) -> None:
        """Appoint and dismiss."""
        scope = ORGANIZER | GATE if event else ADMIN | RELAYER | ATTESTOR
        if roles & ~scope:
            raise ledger_error("BadRoles", event, roles)
        if event:
            self._check_appointment(sender, self.known(event), account, roles)
        else:
            self.require_role(0, sender, ADMIN)
        self._appoint(event, account, roles)

    def _check_appointment(self, sender: int, event: Event, account: int, roles: int) -> None:
        if (self.roles.get((event.id, account), 0) ^ roles) & ORGANIZER:
            self.require_role(event.id, sender, ORGANIZER)
        else:
            self.require_event_role(event, sender, ORGANIZER)

    def _appoint(self, event: int, account: int, roles: int) -> None:
        self.roles[event, account] = roles
        self.emit("RolesSet", event, account, roles)

    def allow_account_code(self, sender: int, code_hash: bytes, allowed: bool) -> None:
        """Wallet implementations."""
        self.require_role(0, sender, ADMIN)
        (self.allowed_code.add if allowed else self.allowed_code.discard)(code_hash)
        self.emit("AccountCodeAllowed", code_hash, allowed)

    def allow_token(self, sender: int, token: int, allowed: bool) -> None:
        """Tokens of new events."""
        self.require_role(0, sender, ADMIN)
        (self.allowed_tokens.add if allowed else self.allowed_tokens.discard)(token)
        self.emit("TokenAllowed", token, allowed)

    # ------------------------------------------------------------------------------------------------ events

    def create_event(self, sender: int, organizer: int, ref: bytes, terms: Terms, schedule: Schedule) -> int:
        """By the organizer, or by a relayer for it, who may then act for it."""
        by_relayer = self.has_role(0, sender, RELAYER)
        if organizer == 0:
            raise ledger_error("RefusedAccount", organizer)
        if not by_relayer and sender != organizer:
            raise ledger_error("Unauthorized", 0, RELAYER, sender)
        self._check_terms(terms)
        self._check_payees(terms)
        self._check_schedule(schedule, terms.token != 0)
        if schedule.release_at < terms.earliest_release:
            raise ledger_error("BadSchedule", field("releaseAt"))

        event = Event(len(self.events) + 1, organizer, terms, schedule, by_relayer)
        self.events[event.id] = event
        self.emit("EventCreated", event.id, organizer, ref, terms, schedule)
        self._appoint(event.id, organizer, ORGANIZER)
        if by_relayer:
            self.emit("DelegationChanged", event.id, True)
        return event.id

    def _check_terms(self, terms: Terms) -> None:
        token_rail = terms.token != 0
        bad = {
            "currency": not all(ord("A") <= letter <= ord("Z") for letter in terms.currency),
            "royaltyBps": terms.royalty_bps > BPS,
            "giftLimit": terms.gift_limit > 7,
            "supplies": not any(terms.supplies),
            "token": token_rail and terms.token not in self.allowed_tokens,
            "capBps": token_rail and terms.cap_bps > BPS,
            "unitExponent": token_rail and terms.unit_exponent > 24,
        }
        for name, wrong in bad.items():
            if wrong:
                raise ledger_error("BadTerms", field(name))

    def _check_payees(self, terms: Terms) -> None:
        refused = any(payee.account in (0, self.address) for payee in terms.payees)
        if refused or sum(payee.bps for payee in terms.payees) != BPS or len(terms.payees) > 32:
            raise ledger_error("BadPayees")

    def _check_schedule(self, schedule: Schedule, token_rail: bool) -> None:
        bad = {
            "movesCloseAt": schedule.moves_close_at == 0,
            "giftsCloseAt": schedule.gifts_close_at > schedule.moves_close_at,
            "resaleClosesAt": schedule.resale_closes_at > schedule.moves_close_at,
            "resaleOpensAt": schedule.resale_opens_at > schedule.resale_closes_at,
            "releaseAt": token_rail and schedule.release_at < schedule.doors_at,
        }
        for name, wrong in bad.items():
            if wrong:
                raise ledger_error("BadSchedule", field(name))

    def _changeable(self, sender: int, event: int, reason: str) -> Event:
        found = self.known(event)
        self.require_event_role(found, sender, ORGANIZER)
        if not reason:
            raise ledger_error("BadSchedule", field("reason"))
        return found

    def set_schedule(self, sender: int, event_id: int, schedule: Schedule, reason: str) -> None:
        """Times; once moves are closed only the doors, and the release later."""
        event = self._changeable(sender, event_id, reason)
        if event.status == CANCELLED:
            raise ledger_error("Cancelled", event_id)
        self._check_schedule(schedule, event.token_rail)
        if schedule.release_at < event.schedule.release_at:
            raise ledger_error("BadSchedule", field("releaseAt"))
        closed = self.now >= event.schedule.moves_close_at
        if closed and schedule[1:5] != event.schedule[1:5]:
            raise ledger_error("ScheduleFixed", event_id, event.schedule.moves_close_at)
        event.schedule = schedule
        self.emit("ScheduleChanged", event_id, schedule, reason)
        self._announce(event_id)

    def _announce(self, event: int) -> None:
        self.emit("BatchMetadataUpdate", ticket_id(event, 0, 0), ticket_id(event + 1, 0, 0) - 1)

    def _set_status(self, event: Event, status: int, reason: str) -> None:
        event.status = status
        self.emit("StatusChanged", event.id, status, reason)
        self._announce(event.id)

    def pause(self, sender: int, event_id: int, reason: str) -> None:
        """No sales, no resales."""
        event = self._changeable(sender, event_id, reason)
        if event.status != LIVE:
            raise ledger_error("WrongStatus", event_id, event.status)
        self._set_status(event, PAUSED, reason)

    def resume(self, sender: int, event_id: int, reason: str) -> None:
        """Sales and resales again."""
        event = self._changeable(sender, event_id, reason)
        if event.status != PAUSED:
            raise ledger_error("WrongStatus", event_id, event.status)
        self._set_status(event, LIVE, reason)

    def cancel(self, sender: int, event_id: int, reason: str) -> None:
        """For good, unless the organizer has the escrow already."""
        event = self._changeable(sender, event_id, reason)
        if event.status == CANCELLED:
            raise ledger_error("WrongStatus", event_id, event.status)
        if event.released:
            raise ledger_error("EscrowReleased", event_id)
        self._set_status(event, CANCELLED, reason)

    def set_delegation(self, sender: int, event_id: int, delegated: bool) -> None:
        """By the organizer only."""
        event = self.known(event_id)
        self.require_role(event_id, sender, ORGANIZER)
        event.delegated = delegated
        self.emit("DelegationChanged", event_id, delegated)

    def set_entry_key(self, sender: int, event_id: int, key_id: int, key: bytes, valid_until: int) -> None:
        """Keys of entry leases."""
        event = self.known(event_id)
        self.require_event_role(event, sender, ORGANIZER)
        event.entry_keys[key_id] = (key, valid_until)
        self.emit("EntryKeySet", event_id, key_id, key, valid_until)

    def issue(self, sender: int, event_id: int, number: int, batch: Batch, manifest: bytes) -> int:
        """The next batch."""
        event = self.known(event_id)
        self.require_event_role(event, sender, ORGANIZER)
        expected = len(event.batches)
        if number != expected:
            raise ledger_error("WrongBatchNumber", event_id, number, expected)
        if expected == MOST_BATCHES:
            raise ledger_error("TooManyBatches", event_id)
        if batch.supply == 0:
            raise ledger_error("BadTerms", field("supply"))
        if batch.supply_class > 3:
            raise ledger_error("BadTerms", field("supplyClass"))
        left = event.terms.supplies[batch.supply_class] - event.issued(batch.supply_class)
        if batch.supply > left:
            raise ledger_error("OverSupply", event_id, batch.supply_class, left)
        event.batches.append(batch)
        self.emit("BatchIssued", event_id, number, batch, manifest)
        return ticket_id(event_id, number, 0)
