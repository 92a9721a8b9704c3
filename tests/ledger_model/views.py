"""What the ledger's views must answer, as the model has it: a ticket, an event, an account, everything."""

from collections.abc import Iterable, Iterator
from typing import Any

from eth_hash.auto import keccak

from tests.ledger_model.books import Event, Ticket
from tests.ledger_model.codec import number, tuple_encoder
from tests.ledger_model.model_money import Money
from tests.ledger_model.refusals import Args, Refused, ledger_error
from tests.ledger_model.world import BASE_URI, World

Question = tuple[str, Args, Any]
"""A view, its arguments, and a tuple of what it returns or the error it reverts with."""
CLASSES = range(4)
HOT_BATCHES = 4


def of_ticket(model: Money, id: int) -> Iterator[Question]:
    """The ticket's word, and what is kept beside it."""
    ticket = model.ticket(id)
    yield "ticket_word_of", (id,), (ticket.word(),)
    yield "paid_epoch_of", (id,), _paid_epoch(model, ticket)
    yield "pool_of", (id,), (ticket.seller, ticket.seller_paid)


def of_ticket_more(model: Money, id: int) -> Iterator[Question]:
    """The ticket, all of it."""
    yield from of_ticket(model, id)
    ticket = model.ticket(id)
    yield "reissue_of", (id,), (ticket.reissue,)
    yield "identity_of", (id,), (ticket.identities.get(ticket.epoch, bytes(32)),)
    issued = model.is_issued(id)
    yield "holder_of", (id,), (ticket.holder,) if issued else ledger_error("NoSuchTicket", id)
    owner = model.owner(ticket)
    yield "owner_of", (id,), (owner,) if owner else Refused("ERC721NonexistentToken", id)


def _paid_epoch(model: Money, ticket: Ticket) -> Args | Refused:
    if not model.is_issued(ticket.id):
        return ledger_error("NoSuchTicket", ticket.id)
    return (model.paid_epoch(ticket),) if ticket.holder else ledger_error("NotHeld", ticket.id)


def of_event(event: Event) -> Iterator[Question]:
    """What changes with its tickets."""
    yield "policy_word_of", (event.id,), (event.policy_word(),)
    yield "pot_of", (event.id,), (event.pot,)
    yield "escrow_of", (event.id,), (event.escrow, event.schedule.release_at, event.released)
    yield "refunds_of", (event.id,), (event.due, event.paid)


def of_event_more(model: Money, event: Event) -> Iterator[Question]:
    """The event, all of it but its tickets."""
    yield from of_event(event)
    id, terms = event.id, event.terms
    yield "schedule_of", (id,), (event.schedule,)
    yield "organizer_of", (id,), (event.organizer,)
    yield "batches_of", (id,), (len(event.batches),)
    entries = terms.entries if terms.entries > 1 else 0
    yield "special_terms_of", (id,), (terms.gift_root, entries)
    payees = _keccak_payees(event)
    yield "money_terms_of", (id,), (terms.currency, terms.token, payees, terms.refund_rule)
    yield "is_delegated", (id,), (event.delegated,)
    for supply_class in CLASSES:
        yield "supplies_of", (id, supply_class), (terms.supplies[supply_class], event.issued(supply_class))
    for place, batch in list(enumerate(event.batches))[:HOT_BATCHES]:
        yield "batch_of", (id, place), (batch.word(),)
    for key_id, entry in event.entry_keys.items():
        yield "entry_key_of", (id, key_id), entry
    for account in {ticket.holder for ticket in model.tickets.values() if ticket.event == id} - {0}:
        counted = model.holding(id, account) if terms.holder_limit else 0
        yield "holding_of", (id, account), (counted,)


def _keccak_payees(event: Event) -> bytes:
    return bytes(keccak(tuple_encoder(("(address,uint16)[]",))((event.terms.payees,))))


def of_account(model: Money, account: int) -> Iterator[Question]:
    """What an account owns and may claim."""
    yield "balance_of", (account,), (model.balance(account),)
    for token in model.tokens:
        yield "credit_of", (account, token), (model.credits.get((account, token), 0),)
    yield "claim_nonce_of", (account,), (model.claims.get(account, 0),)
    yield "account_of", (account,), model.wallets.get(account, (0, 0))


def everything(model: Money, accounts: tuple[int, ...]) -> Iterator[Question]:
    """All that anyone can ask."""
    for event in model.events.values():
        yield from of_event_more(model, event)
        for batch, issued in list(enumerate(event.batches))[:HOT_BATCHES]:
            for index in range(min(5, issued.supply + 1)):
                yield from of_ticket_more(model, event.id << 24 | batch << 16 | index)
    for (scope, account), roles in model.roles.items():
        yield "roles_of", (scope, account), (roles,)
    for account in accounts:
        yield from of_account(model, account)


def compare(world: World, questions: Iterable[Question]) -> None:
    """The contract answers as the model would; AssertionError names the view that does not."""
    outputs = world.codecs.outputs
    for name, args, answer in questions:
        found = world.ask(name, args)
        wanted = world.codecs.error(answer) if isinstance(answer, Refused) else outputs[name, len(args)](answer)
        assert found == wanted, f"{name}{args}: the model says {answer}, the contract 0x{found.hex()}"


def same_tokens(world: World, model: Money, accounts: tuple[int, ...]) -> None:
    """The tokens agree: balances of everybody and of the ledger."""
    for token in model.tokens.values():
        for account in (*accounts, model.address):
            found = world.token_call(model.address ^ 1, token.address, "balanceOf(address)", account)
            assert found == number(token.balances.get(account, 0)), f"balance of {account:x} in {token.address:x}"


def opinions(world: World, model: Money, id: int, epoch: int, price: int, to: int) -> Iterator[Question]:
    """What the ledger thinks of an offer or a gift of this ticket now, and how it shows it to markets and wallets."""
    ticket, face = model.ticket(id), model.face(id)
    event = model.events.get(ticket.event)
    problems = (model.resale_problem(ticket, epoch, price), model.gift_problem(ticket, epoch, to, False))
    offer, gift = (b"" if problem is None else world.codecs.error(problem) for problem in problems)
    yield "check_offer", (id, epoch, price), (offer,)
    yield "check_gift", (id, epoch, to), (gift,)
    if event is None or not model.is_issued(id):
        yield "cap_of", (id,), ledger_error("NoSuchTicket", id)
        return
    yield "cap_of", (id,), (model.resale_cap(ticket) if ticket.holder else model.cap(event, face),)
    back = not ticket.holder and ticket.epoch > 0
    status = 2 if ticket.voided else 3 if ticket.redeemed else 1 if back else 0
    yield "get_token_status", (id,), (bytes(32), status, event.schedule.moves_close_at)
    unit = event.unit if event.token_rail else 1
    royalty = min(price, max(price, face * unit) * event.terms.royalty_bps // 10_000)
    nobody = Refused("ERC721NonexistentToken", id)
    yield "royalty_info", (id, price), (model.address, royalty) if ticket.holder else nobody
    stuck = ticket.custodied or model.move_problem(ticket, ticket.epoch) is not None
    yield "locked", (id,), (stuck,) if ticket.holder else nobody
    yield "token_u_r_i", (id,), (f"{BASE_URI}{id}",) if ticket.holder else nobody
