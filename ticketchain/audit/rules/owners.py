"""Rules on the ERC-721 face: its Transfer logs tell the same story as the ledger's own."""

from collections.abc import Callable, Iterator

from ticketchain.audit.model import NOBODY, Log, State

Rule = Callable[[State, Log], Iterator[str]]


def transfer_from_other(state: State, log: Log) -> Iterator[str]:
    """Each Transfer starts at the owner the last one ended at."""
    owner = state.owners.get(log.args["tokenId"], NOBODY)
    if log.args["from"] != owner:
        yield f"Transfer from {log.args['from']}, but the Transfer logs before left it with {owner}"


def owner_differs(state: State, ticket_id: int) -> Iterator[str]:
    """After each transaction the ERC-721 owner is the ledger for a custodied ticket, else the holder, nobody
    in stock or void.
    """
    owner, expected = state.owners.get(ticket_id, NOBODY), state.owner_expected(ticket_id)
    if owner != expected:
        yield f"owner by the Transfer logs is {owner}, but by the ledger's own logs it is {expected}"


def locked_differs(state: State, log: Log) -> Iterator[str]:
    """`Locked` (ERC-5192) tells of a ticket that was activated or frozen, `Unlocked` of one that is neither any more;
    each only when that changes.
    """
    ticket_id, locked = log.args["tokenId"], log.name == "Locked"
    if locked != state.ticket(ticket_id).stopped:
        yield f"{log.name}, but the ledger's own logs say otherwise"
    elif locked == (ticket_id in state.locks):
        yield f"{log.name}, but the lock was so already"


def lock_untold(state: State, ticket_id: int) -> Iterator[str]:
    """After each transaction a held ticket is locked by the ERC-5192 logs just if it was activated or is frozen."""
    ticket, locked = state.ticket(ticket_id), ticket_id in state.locks
    if ticket.held and ticket.stopped != locked:
        yield f"{'unlocked' if ticket.stopped else 'locked'} by the ERC-5192 logs, but not by the ledger's own logs"


def approval(_: State, __: Log) -> Iterator[str]:
    """There are no approvals: an approved market would be a way round the cap."""
    yield "an approval was granted, but approvals do not exist here"


RULES: dict[str, tuple[Rule, ...]] = {
    "Transfer": (transfer_from_other,),
    "Locked": (locked_differs,),
    "Unlocked": (locked_differs,),
    "Approval": (approval,),
    "ApprovalForAll": (approval,),
}

OF_TICKETS: tuple[Callable[[State, int], Iterator[str]], ...] = (owner_differs, lock_untold)
"""What must hold of every ticket that a transaction touched, after it."""
