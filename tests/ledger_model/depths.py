"""Deep states that a random history must reach now and then, as the witness sees it, or else it proves little."""

from collections.abc import Iterator

from tests.ledger_model.refusals import Args, Refused
from tests.ledger_model.rules import Book
from tests.ledger_model.witness import LINES, Observer, Seen, Step, Word

LAST_EPOCH = 65_535

DEPTHS = (
    "resold after gifts",
    "resold at the cap, over the face",
    "sold from the pool",
    "exchanged with gifts",
    "exchanged at a loss",
    "moved to an own wallet, uncounted",
    "moved as a gift out of custody",
    "frozen after gifts",
    "seven gifts",
    "refunded in tokens",
    "refunded in the pool",
    "refunded though used",
    "ended at the last epoch",
    "reissued",
    "entered again",
    "a contract wallet consented",
    "holders of two kinds swapped",
    "a bulk call in part",
    "a royalty of all",
    "resold twice in one call",
    "entered on another day",
    "refunded at face, though more was paid",
    "frozen though activated",
    "unfrozen though activated",
    "sold from the pool at the last epoch",
    "a line with something in its free bits",
)
REASONS = (
    "over face, or over what is asked in the pool",
    "below what the seller in the pool asks",
    "in the pool, not in stock",
    "no epoch left to be sold on",
    "nothing paid",
    "paid for an unknown event",
)
"""Refusals whose error alone does not say enough.

Each of them is met in every run; the test says how often."""


def reached(seen: Observer, step: Step) -> Iterator[str]:
    """What this step reached."""
    for id, old, new, causes in step.changes:
        for log in causes:
            yield from _moves(seen, id, old, new, log)
        if old.holder and not new.holder and old.epoch == new.epoch == LAST_EPOCH:
            yield "ended at the last epoch"
        if _is_wallet(seen, old) and new.holder not in (0, old.holder) and step.sender != old.holder:
            yield "a contract wallet consented"
    ids = [change.id for change in step.changes]
    if len(ids) > len(set(ids)):
        yield "resold twice in one call"
    skipped = any(log.name == "Skipped" for log in step.logs)
    if skipped and step.changes:
        yield "a bulk call in part"


def refused(model: Book, name: str, args: Args, problem: Refused) -> Iterator[str]:
    """What this refusal of a call, or of a line, shows."""
    error, values = problem.name.removeprefix("Ledger_"), problem.values
    found = {
        "over face, or over what is asked in the pool": error == "WrongPrice"
        and name == "deliver"
        and values[1] > values[2],
        "below what the seller in the pool asks": error == "WrongPrice" and name == "deliver" and values[1] < values[2],
        "in the pool, not in stock": error == "NotInStock" and model.ticket(values[0]).seller != 0,
        "no epoch left to be sold on": error == "LastEpoch" and name == "pool_return" and args[1] < LAST_EPOCH,
        "nothing paid": error == "BadAttestation" and name == "record_refunds_paid" and not sum(dict(args[1]).values()),
        "paid for an unknown event": error == "UnknownEvent" and name == "record_refunds_paid",
    }
    yield from (reason for reason, met in found.items() if met)


def _is_wallet(seen: Observer, word: Word) -> bool:
    return not word.custodied and any(wallet.address == word.holder for wallet in seen.world.cast.wallets)


def _has_free_bits(line: tuple[int, int]) -> bool:
    return line[0] >> 241 > 0 or line[1] >> 209 > 0


def _moves(seen: Observer, id: int, old: Word, new: Word, log: Seen) -> Iterator[str]:
    face, terms = seen.event(id).face(id), seen.event(id).terms
    found = {
        "resold after gifts": log.name in ("Settled", "Resold") and old.gifts > 0,
        "resold at the cap, over the face": log.name == "Settled" and new.price == face * terms[1] // 10_000 > face,
        "sold from the pool": log.name == "PoolSold",
        "exchanged with gifts": log.name == "Exchanged" and new.gifts > 0,
        "exchanged at a loss": log.name == "Exchanged" and log.data[3] >> 255 == 1,
        "moved to an own wallet, uncounted": log.name in ("Withdrawn", "Deposited") and not log.data[0],
        "moved as a gift out of custody": log.name == "Withdrawn" and bool(log.data[0]),
        "frozen after gifts": log.name == "Frozen" and old.gifts > 0,
        "seven gifts": old.gifts == new.gifts == 7 and old.epoch < new.epoch,
        "refunded in tokens": log.name == "RefundedCancelled" and seen.event(id).token != 0 and log.data[1] > 0,
        "refunded in the pool": log.name == "RefundedCancelled" and not old.holder,
        "refunded though used": log.name == "RefundedCancelled" and old.used,
        "reissued": log.name == "Reissued",
        "entered again": log.name == "Redeemed" and old.used,
        "entered on another day": log.name == "Redeemed" and old.used and terms[12] == 255,
        "holders of two kinds swapped": log.name == "Swapped" and old.custodied != new.custodied,
        "refunded at face, though more was paid": log.name == "RefundedCancelled"
        and 0 < log.data[1] == face < old.price,
        "frozen though activated": log.name == "Frozen" and bool(old.flags & 8),
        "unfrozen though activated": log.name == "Unfrozen" and bool(old.flags & 8),
        "sold from the pool at the last epoch": log.name == "PoolSold" and new.epoch == LAST_EPOCH,
        "a line with something in its free bits": log.name in LINES and any(map(_has_free_bits, log.lines(id))),
        "a royalty of all": log.name in ("Resold", "PoolSold") and log.data[-1] == log.data[-2] > 0,
    }
    yield from (name for name, met in found.items() if met)
