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
    """`Locked` (ERC-5192) tells of a ticket that was activated or frozen, `Unlocked` of one that is frozen no more."""
    ticket = state.ticket(log.args["tokenId"])
    if (log.name == "Locked" and not ticket.stopped) or (log.name == "Unlocked" and ticket.frozen):
        yield f"{log.name}, but the ledger's own logs say otherwise"


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
