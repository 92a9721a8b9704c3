"""Numbers of events and tickets when the service follows several ledgers, each of which numbers its events from 1.

Service-wide event number = ledger number << 32 | event number on that ledger, so those of ledger 0 are the chain's own;
ticket ids follow from it. Everything in the service has service-wide numbers; they are translated where the chain is
met: in calls, in signatures, in entry codes, and in what is read from logs.
"""

from __future__ import annotations

from ticketchain.domain.tickets import EVENT_SHIFT

LEDGER_SHIFT = 32
MOST_LEDGERS = 1 << 7
"""So many ledgers fit: ticket ids stay below 2**63, which every database stores."""

_EVENT = (1 << LEDGER_SHIFT) - 1
_TICKET = (1 << LEDGER_SHIFT + EVENT_SHIFT) - 1


def first_event(ledger: int) -> int:
    """The service-wide number 0 of a ledger: no event has it, intents to create one are filed under it."""
    return ledger << LEDGER_SHIFT


def ledger_of(event: int) -> int:
    """The ledger of a service-wide event number."""
    return event >> LEDGER_SHIFT


def ledger_of_ticket(ticket: int) -> int:
    """The ledger of a service-wide ticket id."""
    return ticket >> LEDGER_SHIFT + EVENT_SHIFT


def event_on_chain(event: int) -> int:
    """The number that the ledger itself gave to an event."""
    return event & _EVENT


def ticket_on_chain(ticket: int) -> int:
    """The ledger's own id of a ticket."""
    return ticket & _TICKET


def event_here(ledger: int, event: int) -> int | None:
    """The service-wide number of a ledger's event; None for a number that no event of it will ever have."""
    return ledger << LEDGER_SHIFT | event if event <= _EVENT else None


def ticket_here(ledger: int, ticket: int) -> int | None:
    """The service-wide id of a ledger's ticket; None for an id that no ticket of it will ever have."""
    return ledger << LEDGER_SHIFT + EVENT_SHIFT | ticket if ticket <= _TICKET else None
