"""Rules on events, their terms and schedules, batches and roles."""

from collections.abc import Callable, Iterator

from ticketchain.audit.model import (
    CANCELLED,
    EVENT_ROLES,
    LEDGER_ROLES,
    LIVE,
    NO_GIFT_LIMIT,
    NOBODY,
    PAUSED,
    STATUS_NAMES,
    SUPPLY_CLASSES,
    Log,
    Schedule,
    State,
    Terms,
)
from ticketchain.audit.money import WHOLE
from ticketchain.audit.notices import schedule_from, terms_from

Rule = Callable[[State, Log], Iterator[str]]

MOST_PAYEES = 32
MOST_UNITS = 24
MOST_BATCHES = 255


def event_number(state: State, log: Log) -> Iterator[str]:
    """Events are counted from 1 without a gap."""
    due = len(state.events) + 1
    if log.args["eventId"] != due:
        yield f"event {log.args['eventId']} was created where {due} was due"


def bad_terms(_: State, log: Log) -> Iterator[str]:
    """Every field of the terms is in its range."""
    terms = terms_from(log.args["terms"])
    if terms.currency.startswith("0x"):
        yield f"currency {terms.currency} is not an ISO 4217 code"
    if terms.royalty_bps > WHOLE:
        yield f"royalty of {terms.royalty_bps} basis points is more than everything"
    if terms.gift_limit > NO_GIFT_LIMIT:
        yield f"gift limit {terms.gift_limit} is over {NO_GIFT_LIMIT}"
    if not any(terms.supplies):
        yield "no ticket of any class is promised"
    yield from _bad_rail(terms)


def _bad_rail(terms: Terms) -> Iterator[str]:
    if terms.on_token_rail and terms.cap_bps > WHOLE:
        yield f"cap of {terms.cap_bps} basis points is over face on the token rail"
    if terms.on_token_rail and terms.unit_exponent > MOST_UNITS:
        yield f"unit exponent {terms.unit_exponent} is out of range"


def bad_payees(state: State, log: Log) -> Iterator[str]:
    """1 to 32 payees share 10,000 basis points; none is zero or the ledger."""
    payees = terms_from(log.args["terms"]).payees
    total = sum(bps for _, bps in payees)
    if total != WHOLE:
        yield f"shares of the payees sum to {total}, not {WHOLE}"
    if not 1 <= len(payees) <= MOST_PAYEES:
        yield f"{len(payees)} payees, but 1 to {MOST_PAYEES} are allowed"
    for account, _ in payees:
        if account in (NOBODY, state.ledger):
            yield f"{account} can't be a payee"


def token_not_allowed(state: State, log: Log) -> Iterator[str]:
    """An event settles only in a token that was allowed when it was created."""
    token = log.args["terms"]["token"]
    if token != NOBODY and token not in state.tokens:
        yield f"token {token} was not allowed"


def bad_schedule(state: State, log: Log) -> Iterator[str]:
    """Gifts and resales end no later than moves; resales open before they close; a change has a reason. The escrow of a
    token event stays until the doors open.
    """
    schedule = schedule_from(log.args["schedule"])
    event = state.events.get(log.args["eventId"])
    terms = terms_from(log.args["terms"]) if "terms" in log.args else event.terms if event else None
    if terms and terms.on_token_rail and schedule.release_at < schedule.doors_at:
        yield f"escrow is released at {schedule.release_at}, before the doors open at {schedule.doors_at}"
    if schedule.gifts_close_at > schedule.moves_close_at:
        yield f"gifts end at {schedule.gifts_close_at}, after moves close at {schedule.moves_close_at}"
    if not schedule.resale_opens_at <= schedule.resale_closes_at <= schedule.moves_close_at:
        yield "resales do not lie in order before the closing of moves"
    if schedule.moves_close_at == 0:
        yield "has no closing of moves"
    if log.name == "ScheduleChanged" and not log.args["reason"]:
        yield "changed without a reason"


def release_earlier(state: State, log: Log) -> Iterator[str]:
    """The release of the escrow only moves later, and is never before the earliest one that the terms promise."""
    event, release_at = state.events.get(log.args["eventId"]), log.args["schedule"]["releaseAt"]
    if "terms" in log.args:
        earliest = log.args["terms"]["earliestRelease"]
    else:
        earliest = event.schedule.release_at if event else 0
    if release_at < earliest:
        yield f"escrow is released at {release_at}, but was promised to stay until {earliest}"


def bad_status(state: State, log: Log) -> Iterator[str]:
    """A live event may be paused and a paused one resumed; either may be cancelled, once and for good, unless its
    escrow was released; each with a reason.
    """
    event, status = state.events.get(log.args["eventId"]), log.args["status"]
    if not log.args["reason"]:
        yield "status changed without a reason"
    if event is None:
        return
    if status not in {LIVE: (PAUSED, CANCELLED), PAUSED: (LIVE, CANCELLED)}.get(event.status, ()):
        yield f"{STATUS_NAMES.get(status, status)}, but the event was {STATUS_NAMES.get(event.status, event.status)}"
    if status == CANCELLED and event.escrow_released:
        yield "cancelled, but the escrow for refunds was released before"


def cancelled_is_final(state: State, log: Log) -> Iterator[str]:
    """The schedule of a cancelled event does not change."""
    event = state.events.get(log.args["eventId"])
    if event is not None and event.status == CANCELLED:
        yield "changed after the event was cancelled"


def over_supply(state: State, log: Log) -> Iterator[str]:
    """Of each supply class no more tickets are issued than the terms promised."""
    event, batch = state.events.get(log.args["eventId"]), log.args["batch"]
    if event is None:
        return
    supply_class = batch["supplyClass"]
    promised = event.terms.supplies[supply_class] if supply_class < SUPPLY_CLASSES else 0
    issued = event.issued(supply_class) + batch["supply"]
    if issued > promised:
        yield f"{issued} tickets of supply class {supply_class} were issued, but {promised} were promised"


def schedule_reopened(state: State, log: Log) -> Iterator[str]:
    """Once moves are closed only the doors may change."""
    event = state.events.get(log.args["eventId"])
    if event is None or log.time < event.schedule.moves_close_at:
        return
    if _all_but_doors(schedule_from(log.args["schedule"])) != _all_but_doors(event.schedule):
        yield f"changed at {log.time}, but moves were closed for good at {event.schedule.moves_close_at}"


def _all_but_doors(schedule: Schedule) -> tuple[int, ...]:
    times = (
        schedule.moves_close_at,
        schedule.gifts_close_at,
        schedule.resale_opens_at,
        schedule.resale_closes_at,
    )
    return times


def unknown_event(state: State, log: Log) -> Iterator[str]:
    """Only an event that exists can change."""
    if log.args["eventId"] != 0 and log.args["eventId"] not in state.events:
        yield f"{log.name} for event {log.args['eventId']}, which does not exist"


def batch_number(state: State, log: Log) -> Iterator[str]:
    """Batches are counted from 0 without a gap, at most 255 an event."""
    event, number = state.events.get(log.args["eventId"]), log.args["number"]
    if event is not None and number != len(event.batches):
        yield f"batch {number} was issued where {len(event.batches)} was due"
    if number >= MOST_BATCHES:
        yield f"batch {number} is over the {MOST_BATCHES} an event may have"


def empty_batch(_: State, log: Log) -> Iterator[str]:
    """A batch has tickets."""
    if log.args["batch"]["supply"] == 0:
        yield f"batch {log.args['number']} has no tickets"


def misplaced_roles(_: State, log: Log) -> Iterator[str]:
    """Roles of the ledger belong to event 0, those of an event to that event."""
    roles, allowed = log.args["roles"], EVENT_ROLES if log.args["eventId"] else LEDGER_ROLES
    if roles & ~allowed:
        yield f"{log.args['account']} got roles {roles} in the scope of event {log.args['eventId']}"


RULES: dict[str, tuple[Rule, ...]] = {
    "EventCreated": (event_number, bad_terms, bad_payees, token_not_allowed, bad_schedule, release_earlier),
    "ScheduleChanged": (unknown_event, bad_schedule, release_earlier, schedule_reopened, cancelled_is_final),
    "StatusChanged": (unknown_event, bad_status),
    "DelegationChanged": (unknown_event,),
    "EntryKeySet": (unknown_event,),
    "BatchIssued": (unknown_event, batch_number, empty_batch, over_supply),
    "RolesSet": (unknown_event, misplaced_roles),
}
