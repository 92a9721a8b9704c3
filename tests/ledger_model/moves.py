"""What becomes of a ticket, move by move, once the rules have been checked."""

from typing import Any

from tests.ledger_model.books import LAST_EPOCH, Ticket
from tests.ledger_model.rules import Book

MOST_GIFTS = 7


class Moves(Book):
    """The ways in which a ticket changes."""

    def emit(self, name: str, *args: Any) -> None:
        """Logs an event."""
        self.logs.append((name, args))

    def stored(self, id: int) -> Ticket:
        """The ticket, kept from now on."""
        return self.tickets.setdefault(id, Ticket(id))

    def transfer(self, ticket: Ticket, to: int, custodied: bool) -> None:
        """Another holder; ERC-721 hears of it if the owner is another one too."""
        before = self.owner(ticket)
        ticket.holder, ticket.custodied = to, custodied
        after = self.owner(ticket)
        if before != after:
            self.emit("Transfer", before, after, ticket.id)

    def sell(self, ticket: Ticket, to: int, custodied: bool, price: int) -> None:
        """Bought: from stock, from the pool or from its holder."""
        self.transfer(ticket, to, custodied)
        ticket.epoch += 1
        ticket.since, ticket.price, ticket.gifts = self.now, price, 0
        ticket.paid_epoch = ticket.epoch
        ticket.seller = ticket.seller_paid = 0

    def give(self, ticket: Ticket, to: int, custodied: bool) -> None:
        """Given away."""
        self.transfer(ticket, to, custodied)
        ticket.epoch += 1
        ticket.since, ticket.gifts = self.now, min(MOST_GIFTS, ticket.gifts + 1)

    def rehouse(self, ticket: Ticket, to: int, custodied: bool) -> None:
        """To another account of the same person: nothing else changes."""
        self.transfer(ticket, to, custodied)
        ticket.epoch += 1

    def restock(self, ticket: Ticket) -> None:
        """Back in stock; at the last epoch it stays there."""
        self.transfer(ticket, 0, False)
        ticket.clear()
        ticket.epoch = min(LAST_EPOCH, ticket.epoch + 1)
