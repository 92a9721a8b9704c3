"""The fold: what follows from each fact for the state of the ledger. Pure but for the state it is given to
change.

It believes every fact, so that one false claim is one finding and does not cast doubt on all that follows.
Facts about events that do not exist change only what does not need the event.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ticketchain.audit.facts import RESALES, Fact, Kind, Release, Step
from ticketchain.audit.model import NO_GIFT_LIMIT, NOBODY, Batch, Event, Money, Schedule, State, Terms, Ticket
from ticketchain.audit.money import royalty_of


def apply(state: State, fact: Fact) -> None:
    """Change the state as the fact says."""
    if isinstance(fact, Step):
        _count(state, fact.kind)
        _account(state, fact)
        if fact.kind in (Kind.DELIVERED, *RESALES):
            state.payments.add((fact.ticket_id, fact.reference))
        state.tickets[fact.ticket_id] = after(state.ticket(fact.ticket_id), fact)
    elif isinstance(fact, Release):
        _count(state, "Released")
        _release(state, fact)
    else:
        _count(state, fact.log.name)
        handler = _NOTICES.get(fact.log.name)
        if handler:
            handler(state, fact.log.args)


def after(ticket: Ticket, step: Step) -> Ticket:
    """The ticket after a step, as `TicketWord` defines each change."""
    match step.kind:
        case Kind.DELIVERED | Kind.SETTLED | Kind.RESOLD:
            holder = step.taker or NOBODY
            return Ticket(holder, step.custodied, epoch=step.epoch, since=step.log.time, price=step.amount)
        case Kind.GIVEN:
            gifts = min(ticket.gifts + 1, NO_GIFT_LIMIT)
            holder = step.taker or NOBODY
            return Ticket(
                holder, step.custodied, gifts=gifts, epoch=step.epoch, since=step.log.time, price=ticket.price
            )
        case Kind.REDEEMED:
            return replace(ticket, redeemed=True)
        case Kind.REFUNDED:
            return Ticket(epoch=step.epoch)
        case Kind.VOIDED:
            return Ticket(epoch=step.epoch, voided=True)
        case Kind.REVOKED:
            return replace(ticket, epoch=step.epoch)


def terms_from(args: dict[str, Any]) -> Terms:
    """Terms as logged in `EventCreated`."""
    return Terms(
        currency=currency_name(args["currency"]),
        cap_bps=args["capBps"],
        royalty_bps=args["royaltyBps"],
        gift_limit=args["giftLimit"],
        cooldown=args["cooldown"],
        token=args["token"],
        unit_exponent=args["unitExponent"],
        refund_rule=args["refundRule"],
        payees=tuple((payee["account"], payee["bps"]) for payee in args["payees"]),
    )


def schedule_from(args: dict[str, Any]) -> Schedule:
    """A schedule as logged."""
    return Schedule(
        args["doorsAt"],
        args["movesCloseAt"],
        args["giftsCloseAt"],
        args["resaleOpensAt"],
        args["resaleClosesAt"],
    )


def currency_name(code: bytes) -> str:
    """ISO 4217 code of three bytes; in hexadecimal if they are not capital letters."""
    text = code.decode("ascii", errors="replace")
    return text if text.isascii() and text.isalpha() and text.isupper() else "0x" + code.hex()


def money_of(state: State, event: Event) -> Money:
    """Totals of the event's currency and rail, for adding to."""
    return state.money.setdefault((event.terms.currency, event.terms.token), Money())


def _count(state: State, name: str) -> None:
    state.counts[name] = state.counts.get(name, 0) + 1


def _account(state: State, step: Step) -> None:
    """Add a sale or a refund to the totals, and a resale's royalty to the pot and its rest to the seller."""
    event, batch = state.events.get(step.event_id), state.batch_of(step.ticket_id)
    if event is None:
        return
    money = money_of(state, event)
    if step.kind is Kind.DELIVERED:
        money.primary += step.amount
    elif step.kind is Kind.REFUNDED:
        money.refunded += step.amount
    elif step.kind in RESALES:
        face = batch.face if batch else 0
        royalty = step.royalty if step.royalty is not None else royalty_of(step.amount, face, event.terms.royalty_bps)
        money.resale += step.amount
        money.royalties += royalty
        money.sellers += step.amount - royalty
        event.pot += royalty * event.terms.unit
        if event.terms.on_token_rail:
            seller = step.giver or state.ticket(step.ticket_id).holder
            _credit(state, seller, event.terms.token, (step.amount - royalty) * event.terms.unit)


def _release(state: State, release: Release) -> None:
    event = state.events.get(release.event_id)
    if event is None:
        return
    event.pot = 0
    money_of(state, event).released += sum(amount for _, amount in release.parts)
    if event.terms.on_token_rail:
        for payee, amount in release.parts:
            _credit(state, payee, event.terms.token, amount)


def _credit(state: State, account: str, token: str, amount: int) -> None:
    state.credits[account, token] = state.credits.get((account, token), 0) + amount


# ------------------------------------------------------------------------------------- other logs


def _event_created(state: State, args: dict[str, Any]) -> None:
    terms, schedule = terms_from(args["terms"]), schedule_from(args["schedule"])
    state.events[args["eventId"]] = Event(args["eventId"], args["organizer"], terms, schedule)


def _schedule_changed(state: State, args: dict[str, Any]) -> None:
    if event := state.events.get(args["eventId"]):
        event.schedule = schedule_from(args["schedule"])


def _delegation_changed(state: State, args: dict[str, Any]) -> None:
    if event := state.events.get(args["eventId"]):
        event.delegated = args["delegated"]


def _entry_key_set(state: State, args: dict[str, Any]) -> None:
    if event := state.events.get(args["eventId"]):
        event.entry_keys[args["keyId"]] = args["key"], args["validUntil"]


def _batch_issued(state: State, args: dict[str, Any]) -> None:
    if event := state.events.get(args["eventId"]):
        batch = args["batch"]
        event.batches[args["number"]] = Batch(
            batch["supply"],
            batch["priceClass"],
            batch["supplyClass"],
            batch["section"],
            batch["face"],
            args["manifest"],
        )


def _roles_set(state: State, args: dict[str, Any]) -> None:
    state.roles[args["eventId"], args["account"]] = args["roles"]


def _token_allowed(state: State, args: dict[str, Any]) -> None:
    (state.tokens.add if args["allowed"] else state.tokens.discard)(args["token"])


def _account_code_allowed(state: State, args: dict[str, Any]) -> None:
    (state.account_codes.add if args["allowed"] else state.account_codes.discard)(args["codeHash"])


def _credit_claimed(state: State, args: dict[str, Any]) -> None:
    state.credits[args["account"], args["token"]] = 0


def _transfer(state: State, args: dict[str, Any]) -> None:
    state.owners[args["tokenId"]] = args["to"]


_NOTICES: dict[str, Callable[[State, dict[str, Any]], None]] = {
    "EventCreated": _event_created,
    "ScheduleChanged": _schedule_changed,
    "DelegationChanged": _delegation_changed,
    "EntryKeySet": _entry_key_set,
    "BatchIssued": _batch_issued,
    "RolesSet": _roles_set,
    "TokenAllowed": _token_allowed,
    "AccountCodeAllowed": _account_code_allowed,
    "CreditClaimed": _credit_claimed,
    "Transfer": _transfer,
}
