"""What follows from logs that are not about a move: events, their schedules and status, roles, wallets, credits."""

from collections.abc import Callable
from typing import Any

from ticketchain.audit.accounting import credit, money_of, resale
from ticketchain.audit.model import Announcement, Batch, Event, Log, Schedule, State, Terms


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
        supplies=tuple(args["supplies"]),
        earliest_release=args["earliestRelease"],
        holder_limit=args["holderLimit"],
        entries=args["entries"],
        cap_at_paid=args["capAtPaid"],
        reissue=args["reissue"],
        identity=args["identity"],
        gift_root=args["giftRoot"],
    )


def schedule_from(args: dict[str, Any]) -> Schedule:
    """A schedule as logged."""
    return Schedule(
        args["doorsAt"],
        args["movesCloseAt"],
        args["giftsCloseAt"],
        args["resaleOpensAt"],
        args["resaleClosesAt"],
        args["releaseAt"],
    )


def currency_name(code: bytes) -> str:
    """ISO 4217 code of three bytes; in hexadecimal if they are not capital letters."""
    text = code.decode("ascii", errors="replace")
    return text if text.isascii() and text.isalpha() and text.isupper() else "0x" + code.hex()


def _event_created(state: State, log: Log) -> None:
    args = log.args
    terms, schedule = terms_from(args["terms"]), schedule_from(args["schedule"])
    state.events[args["eventId"]] = Event(args["eventId"], args["organizer"], terms, schedule)


def _schedule_changed(state: State, log: Log) -> None:
    args = log.args
    if event := state.events.get(args["eventId"]):
        event.schedule = schedule_from(args["schedule"])


def _delegation_changed(state: State, log: Log) -> None:
    args = log.args
    if event := state.events.get(args["eventId"]):
        event.delegated = args["delegated"]


def _entry_key_set(state: State, log: Log) -> None:
    args = log.args
    if event := state.events.get(args["eventId"]):
        event.entry_keys[args["keyId"]] = args["key"], args["validUntil"]


def _batch_issued(state: State, log: Log) -> None:
    args = log.args
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


def _status_changed(state: State, log: Log) -> None:
    args = log.args
    if event := state.events.get(args["eventId"]):
        event.status = args["status"]


def _escrow_released(state: State, log: Log) -> None:
    args = log.args
    if event := state.events.get(args["eventId"]):
        event.escrow, event.escrow_released = 0, True
        money_of(state, event).escrow_released += args["amount"]
        credit(state, args["organizer"], event.terms.token, args["amount"])


def _refunds_paid(state: State, log: Log) -> None:
    args = log.args
    if event := state.events.get(args["eventId"]):
        event.refunds_paid = args["paid"]


def _pool_sold(state: State, log: Log) -> None:
    args = log.args
    state.pool.pop(args["id"], None)
    if event := state.event_of(args["id"]):
        resale(state, event, args["seller"], args["price"], args["royalty"])


def _wallet_registered(state: State, log: Log) -> None:
    args = log.args
    state.wallets[args["wallet"]] = args["account"], log.time


def _reissue_announced(state: State, log: Log) -> None:
    args = log.args
    state.announcements[args["id"]] = Announcement(args["to"], args["custodied"], args["epoch"], args["readyAt"])


def _reissue_vetoed(state: State, log: Log) -> None:
    args = log.args
    state.announcements.pop(args["id"], None)


def _identity_committed(state: State, log: Log) -> None:
    args = log.args
    state.identities[args["id"], args["epoch"]] = args["commitment"]


def _credit_forwarded(state: State, log: Log) -> None:
    args = log.args
    state.claims[args["account"]] = state.claims.get(args["account"], 0) + 1


def _roles_set(state: State, log: Log) -> None:
    args = log.args
    state.roles[args["eventId"], args["account"]] = args["roles"]


def _token_allowed(state: State, log: Log) -> None:
    args = log.args
    (state.tokens.add if args["allowed"] else state.tokens.discard)(args["token"])


def _account_code_allowed(state: State, log: Log) -> None:
    args = log.args
    (state.account_codes.add if args["allowed"] else state.account_codes.discard)(args["codeHash"])


def _credit_claimed(state: State, log: Log) -> None:
    args = log.args
    state.credits[args["account"], args["token"]] = 0


def _transfer(state: State, log: Log) -> None:
    args = log.args
    state.owners[args["tokenId"]] = args["to"]


def _locked(state: State, log: Log) -> None:
    """Only what the ledger's own logs confirm is believed, so that a false one is one finding."""
    ticket_id, locked = log.args["tokenId"], log.name == "Locked"
    if locked == state.ticket(ticket_id).stopped:
        (state.locks.add if locked else state.locks.discard)(ticket_id)


HANDLERS: dict[str, Callable[[State, Log], None]] = {
    "EventCreated": _event_created,
    "ScheduleChanged": _schedule_changed,
    "DelegationChanged": _delegation_changed,
    "EntryKeySet": _entry_key_set,
    "BatchIssued": _batch_issued,
    "RolesSet": _roles_set,
    "TokenAllowed": _token_allowed,
    "AccountCodeAllowed": _account_code_allowed,
    "StatusChanged": _status_changed,
    "EscrowReleased": _escrow_released,
    "RefundsPaid": _refunds_paid,
    "PoolSold": _pool_sold,
    "WalletRegistered": _wallet_registered,
    "ReissueAnnounced": _reissue_announced,
    "ReissueVetoed": _reissue_vetoed,
    "IdentityCommitted": _identity_committed,
    "CreditClaimed": _credit_claimed,
    "CreditForwarded": _credit_forwarded,
    "Transfer": _transfer,
    "Locked": _locked,
    "Unlocked": _locked,
}
