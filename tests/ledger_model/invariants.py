"""Twenty promises that hold after each step of any history, whatever the model says.

The numbers are those of the contract study's list, put into this ledger's words. Each function looks at one step as
the observer saw it, or at the sums.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.ledger_model.refusals import Args
from tests.ledger_model.signing import GOOD_FORMS, Signed
from tests.ledger_model.witness import DAY, LINES, Observer, Seen, Step, Word
from tests.ledger_model.words import U40
from tests.ledger_model.world import Outcome

LAST_EPOCH, BPS, NO_LIMIT, CANCELLED = 65_535, 10_000, 7, 3
WITHOUT_CONSENT = {"refund_cancelled": "RefundedCancelled", "void_ticket": "Voided", "reissue": "Reissued"}
GIFTS = ("Given", "Swapped")
RESALES = ("Settled", "Resold", "PoolReturned")
MONEY = ("Bought", "Resold", "CreditClaimed", "EscrowReleased", "RefundedCancelled", "Released")
REPEATABLE = ("Veto",)
"""Signed for an epoch that it does not use up: it stops whatever reissue is announced."""
BULK = ("Deliveries", "Settlements", "Offer")
"""Signed for lines, some of which may be skipped and sent again: each works once by its epoch (2, 12)."""
TERMS_BITS = ((1 << 96) - 1) & ~0xFF & ~(1 << 8)
"""Of the policy word: all but status, delegation and schedule."""


def tickets_are_within_their_batches(seen: Observer, step: Step) -> None:
    """1. A ticket with a word has an index below its batch's supply; no class has more than was committed."""
    for id, _, new, _ in step.changes:
        batches = seen.event(id).batches
        assert not new.raw or id & 0xFFFF < batches[id >> 16 & 0xFF][0], f"{id} is beyond its batch"
    for log in step.logs:
        if log.name == "BatchIssued":
            event = seen.events[log.topics[0]]
            issued = sum(batch[0] for batch in event.batches if batch[2] == log.data[2])
            assert issued <= event.terms[9][log.data[2]], f"class {log.data[2]} has {issued}"


def words_never_vanish(seen: Observer, step: Step) -> None:
    """2. A word that is not zero never is again; no ticket is sold twice at one epoch, no batch issued twice."""
    for id, old, new, causes in step.changes:
        assert new.raw or not old.raw, f"the word of {id} vanished"
        if any(log.name in ("Delivered", "Settled", "Bought", "Resold") for log in causes):
            _once(seen, "sold", id, new.epoch)
    for log in step.logs:
        if log.name == "BatchIssued":
            _once(seen, "batch", *log.topics)


def owners_follow_from_transfers(seen: Observer, step: Step) -> None:
    """3. ERC-721 owners and balances are those that the `Transfer` logs tell."""
    for log in step.logs:
        if log.name == "Transfer":
            id = log.topics[2]
            word = Word(seen.word(id))
            owner = seen.world.cast.ledger if word.custodied else word.holder
            assert seen.owners[id] == owner, f"{id} is {owner:x}'s, not as transferred"
            for account in log.topics[:2]:
                assert not account or seen.ask("balance_of", account) == seen.balances[account], f"{account:x}"


def prices_are_within_the_cap(seen: Observer, step: Step) -> None:
    """4. No ticket changes hands over the cap, on any path; nor from stock over its face; for tokens all at face."""
    for id, old, new, causes in step.changes:
        event = seen.event(id)
        cap = min(event.face(id) * event.terms[1] // BPS, U40)
        names = {log.name for log in causes}
        if names & {*RESALES, "PoolSold"}:
            assert new.price <= cap, f"{id} went for {new.price}, cap {cap}"
        if names & set(RESALES) and event.terms[13]:
            assert new.price <= old.price, f"{id} went for {new.price}, paid {old.price}"
        assert "Bought" not in names or new.price == event.face(id), f"{id} was not bought at face"
        if "Delivered" in names and "PoolSold" not in names:
            assert new.price <= event.face(id), f"{id} went from stock for {new.price}"


def refunds_are_within_face(seen: Observer, step: Step) -> None:
    """7. No ticket is refunded over its face, whatever its last holder paid; nor, in fiat money, over that."""
    for id, old, _, causes in step.changes:
        event = seen.event(id)
        for log in causes:
            if log.name in ("Refunded", "RefundedCancelled"):
                assert log.data[1] <= event.face(id), f"{id} was refunded over face: {log.data[1]}"
                paid_last = old.holder and not event.token
                assert not paid_last or log.data[1] <= old.price, f"{id} was refunded {log.data[1]}, paid {old.price}"


def parts_sum_exactly(seen: Observer, step: Step) -> None:
    """5. Shares sum to 10,000; the parts of a released pot are the pot; a royalty is no more than the price."""
    parts: dict[int, int] = {}
    for log in step.logs:
        if log.name == "Released":
            parts[log.topics[0]] = parts.get(log.topics[0], 0) + log.data[0]
        elif log.name == "EventCreated":
            assert sum(bps for _, bps in seen.events[log.topics[0]].terms[8]) == BPS
        elif log.name in ("Resold", "PoolSold"):
            price, royalty = log.data[-2:]
            assert royalty <= price, f"royalty {royalty} of {price}"
    for event, total in parts.items():
        assert total == seen.events[event].pot, f"{total} released of {seen.events[event].pot}"
        assert seen.ask("pot_of", event) == 0


def tokens_cover_what_is_owed(seen: Observer, step: Step) -> None:
    """6. Tokens held = escrows + pots + credits, in each token, after each move of money."""
    if any(log.name in MONEY for log in step.logs):
        tokens_cover_all(seen)


def tokens_cover_all(seen: Observer) -> None:
    """6, as a sum over everybody."""
    cast = seen.world.cast
    accounts = (*cast.keys, *(wallet.address for wallet in cast.wallets), cast.market, *cast.tokens)
    for token in cast.tokens:
        events = [id for id, event in seen.events.items() if event.token == token]
        owed = sum(seen.ask("escrow_of", id) + seen.ask("pot_of", id) for id in events)
        owed += sum(seen.ask("credit_of", account, token) for account in accounts)
        assert seen.tokens_of(cast.ledger, token) == owed, f"the ledger owes {owed} of {token:x}"


def escrow_covers_all_refunds(seen: Observer, step: Step) -> None:
    """7. An escrow not released holds the face of all tickets bought and not refunded; no more is paid than due."""
    for log in step.logs:
        if log.name == "Bought":
            seen.event(log.topics[0]).bought.add(log.topics[0])
        elif log.name == "RefundedCancelled":
            seen.event(log.topics[0]).bought.discard(log.topics[0])
            if log.data[1]:
                _once(seen, "refunded", log.topics[0], log.data[0])
        elif log.name == "EscrowReleased":
            seen.events[log.topics[0]].bought.clear()
    for id in {log.topics[0] >> 24 for log in step.logs if log.name in ("Bought", "RefundedCancelled")}:
        _check_escrow(seen, id)
    for log in step.logs:
        if log.name == "RefundsPaid":
            due = seen.answer("refunds_of", log.topics[0])
            assert int.from_bytes(due[:32], "big") >= int.from_bytes(due[32:], "big"), "more paid than due"


def _check_escrow(seen: Observer, id: int) -> None:
    event = seen.events[id]
    owed = sum(event.face(ticket) for ticket in event.bought) * event.unit
    assert seen.ask("escrow_of", id) == owed, f"escrow of {id} is not {owed}"


def terms_never_change(seen: Observer, step: Step) -> None:
    """8. Terms are as at creation; cancelled is for good."""
    for log in step.logs:
        if log.name == "StatusChanged":
            before = seen.events[log.topics[0]].status
            assert before != CANCELLED and before != log.data[0], f"from {before} to {log.data[0]}"
        if log.name in ("StatusChanged", "ScheduleChanged", "DelegationChanged", "BatchIssued", "EscrowReleased"):
            terms_are_as_created(seen, log.topics[0])


def terms_are_as_created(seen: Observer, id: int) -> None:
    """8, for one event."""
    event = seen.events[id]
    assert not (seen.ask("policy_word_of", id) ^ event.policy) & TERMS_BITS, f"the policy of {id} changed"
    assert seen.answer("money_terms_of", id) == event.money and seen.answer("special_terms_of", id) == event.special


def used_and_void_tickets_never_move(seen: Observer, step: Step) -> None:
    """9. A used ticket keeps holder, custody and epoch; nothing happens to a void one."""
    for id, old, new, _ in step.changes:
        if old.used:
            kept = (new.holder, new.custodied, new.epoch, new.used) == (old.holder, old.custodied, old.epoch, True)
            assert kept, f"{id} was used and moved"
        assert not old.void or new == old, f"{id} was void and changed"


def gates_admit_as_often_as_the_terms_say(seen: Observer, step: Step) -> None:
    """10 and 11. Redeemed by a gate of the event only, and once; or as often, or as many days, as the terms say."""
    for log in step.logs:
        if log.name == "Redeemed":
            event = seen.events[log.topics[0]]
            by_gate = seen.roles.get((log.topics[0], step.sender), 0) & 16
            by_relayer = event.delegated and seen.roles.get((0, step.sender), 0) & 2
            assert by_gate or by_relayer, "redeemed by a stranger"
            for id in log.ids():
                entries = max(1, event.terms[12])
                event.entries[id] += 1
                assert entries == 255 or event.entries[id] <= entries, f"{id} entered too often"
                assert entries != 255 or event.last_day.get(id, -1) < step.now // DAY, f"{id} entered twice a day"
                event.last_day[id] = step.now // DAY
                word = Word(seen.words[id])
                assert word.used and word.holder, f"{id} entered unheld"


def held_tickets_move_by_consent(seen: Observer, step: Step) -> None:
    """12, 13 and 15. A held ticket changes holder or epoch only by its holder's own call or signature over this ticket
    and epoch, in time and by the key, or the code, that speaks for the holder; but for three movers without consent."""
    for id, old, new, causes in step.changes:
        if not old.holder or (new.holder, new.epoch) == (old.holder, old.epoch):
            continue
        if step.name in WITHOUT_CONSENT:
            assert {log.name for log in causes} == {WITHOUT_CONSENT[step.name]}
            continue
        if step.sender == old.holder and not old.custodied:
            continue
        speaker = _speaker(seen, old)
        messages = [signed.message for signed in _signatures(step.args) if _is_by(signed, speaker)]
        named = [message for message in messages if message[1:3] == (id, old.epoch)]
        assert named, f"{id} moved without its holder's consent"
        assert any(_deadline(message, step) >= step.now for message in named), f"{id} moved by an old consent"


def _speaker(seen: Observer, word: Word) -> int:
    """Whose key speaks for a holder."""
    cast = seen.world.cast
    if word.custodied:
        return word.holder
    if word.holder == cast.smart:
        return 0  # its code answers nothing
    speakers = {wallet.address: wallet.signer for wallet in cast.wallets} | {cast.market: cast.fans[0]}
    return speakers.get(word.holder, word.holder)


def _is_by(signed: Signed, speaker: int) -> bool:
    return signed.signer == speaker and signed.form in GOOD_FORMS


def _deadline(message: tuple[Any, ...], step: Step) -> int:
    return int(message[-1])


def _signatures(value: Any) -> Iterator[Signed]:
    for part in value:
        if isinstance(part, Signed):
            yield part
        elif isinstance(part, tuple):
            yield from _signatures(part)


def signatures_work_once(seen: Observer, step: Step) -> None:
    """13. What was signed works once, whatever happens in between; but for what leaves the epoch as it is."""
    for signed in _signatures(step.args):
        kind = signed.message[0]
        if kind not in (*REPEATABLE, *BULK):
            _once(seen, "signed", signed.message)


def epochs_grow(seen: Observer, step: Step) -> None:
    """14. Every move makes the epoch one more; it never wraps; at the last one a ticket ends, not in the pool."""
    for id, old, new, causes in step.changes:
        assert new.epoch < LAST_EPOCH or not any(log.name == "PoolReturned" for log in causes), f"{id} is unsaleable"
        assert old.epoch <= new.epoch <= old.epoch + 1, f"{id} went from epoch {old.epoch} to {new.epoch}"
        if new.holder and (new.holder, new.custodied) != (old.holder, old.custodied):
            assert new.epoch == old.epoch + 1, f"{id} moved within an epoch"
        elif old.holder and not new.holder:
            assert new.epoch == min(LAST_EPOCH, old.epoch + 1), f"{id} ended within an epoch"


def bad_lines_block_nobody(seen: Observer, step: Step) -> None:
    """16 and 17. Every line of a bulk call is applied or skipped, not both, not lost; what is skipped is returned."""
    counts = {"deliver": 1, "settle_resales": 1, "redeem": 1, "refund_cancelled": 1}
    if step.name not in counts:
        return
    lines = len(step.args[counts[step.name]])
    skipped = sum(1 for log in step.logs if log.name == "Skipped")
    kinds = (*LINES, "Redeemed", "RefundedCancelled")
    applied = sum(len(log.ids()) for log in step.logs if log.name in kinds)
    assert applied + skipped == lines, f"{applied} applied and {skipped} skipped of {lines}"
    assert int.from_bytes(step.value[32:64], "big") == (lines if skipped else 0), "problems returned"


def gift_rules_hold(seen: Observer, step: Step) -> None:
    """18. Gifts stay within count and cool-down, holders within their limit, resales within the cool-down."""
    for id, old, new, causes in step.changes:
        terms, event = seen.event(id).terms, id >> 24
        for log in causes:
            gift = log.name in GIFTS or (log.name in ("Withdrawn", "Deposited") and log.data[0])
            assert not gift or terms[3] == NO_LIMIT or new.gifts <= terms[3], f"{id} given {new.gifts} times"
            if gift or log.name in RESALES:
                assert old.since + terms[4] <= step.now, f"{id} moved too soon"
            within = log.name == "Exchanged" and log.topics[0] >> 24 == log.topics[1] >> 24
            free = within or log.name == "Swapped"
            limited = terms[11] and not free and new.holder != old.holder
            if limited and new.holder:
                assert seen.ask("holding_of", event, new.holder) <= terms[11], f"{new.holder:x} holds too many"


def windows_are_kept(seen: Observer, step: Step) -> None:
    """19. No held ticket moves from the second on at which moves close; gifts and resales keep to their times."""
    free = {*WITHOUT_CONSENT, "redeem", "freeze", "unfreeze"} - {"reissue"}
    for id, old, _, causes in step.changes:
        if not old.holder or step.name in free:
            continue
        _, moves, gifts, opens, closes, _ = seen.event(id).schedule
        assert step.now < moves, f"{id} moved after closing"
        for log in causes:
            gift = log.name in GIFTS or (log.name in ("Withdrawn", "Deposited") and log.data[0])
            assert not gift or step.now <= gifts, f"{id} was given too late"
            assert log.name not in RESALES or opens <= step.now <= closes, f"{id} was resold out of time"


def every_change_has_its_event(seen: Observer, step: Step) -> None:
    """20. One event for each change of a ticket (and `PoolSold` beside `Delivered`)."""
    for id, _, _, causes in step.changes:
        names = [log.name for log in causes if log.name != "PoolSold"]
        assert len(names) == 1 or set(names) == {"Redeemed"}, f"{id} changed by {names}"


def locks_are_told_when_they_change(seen: Observer, step: Step) -> None:
    """20. `Locked` and `Unlocked` (ERC-5192) come when a ticket that keeps its holder is stopped, or free again."""
    wanted = []
    for id, old, new, _ in step.changes:
        if new.holder and old.stopped != new.stopped:
            wanted.append(("Locked" if new.stopped else "Unlocked", id))
    told = [(log.name, log.data[0]) for log in step.logs if log.name in ("Locked", "Unlocked")]
    assert told == wanted, f"told {told}, changed {wanted}"


def _once(seen: Observer, *key: object) -> None:
    assert key not in seen.keys, f"a second time: {key}"
    seen.keys.add(key)


EACH_STEP: tuple[Callable[[Observer, Step], None], ...] = (
    tickets_are_within_their_batches,
    words_never_vanish,
    owners_follow_from_transfers,
    prices_are_within_the_cap,
    refunds_are_within_face,
    parts_sum_exactly,
    tokens_cover_what_is_owed,
    escrow_covers_all_refunds,
    terms_never_change,
    used_and_void_tickets_never_move,
    gates_admit_as_often_as_the_terms_say,
    held_tickets_move_by_consent,
    signatures_work_once,
    epochs_grow,
    bad_lines_block_nobody,
    gift_rules_hold,
    windows_are_kept,
    every_change_has_its_event,
    locks_are_told_when_they_change,
)


class Witness(Observer):
    """Sees every step and judges it."""

    def saw(self, sender: int, name: str, args: Args, outcome: Outcome) -> Step | None:
        """A call, after it; what it did, if it went well."""
        if outcome.error is not None:
            return None
        step = self.step(sender, name, args, outcome)
        later = [self._remember(log, data) for log, (_, data) in zip(step.logs, outcome.logs, strict=True)]
        for judge in EACH_STEP:
            judge(self, step)
        for log in filter(None, later):
            self.keep(log, b"")
        paid = {log.topics[0] for log in step.logs if log.name == "Released"}
        for event in ({change.id >> 24 for change in step.changes} | paid) & self.events.keys():
            self.events[event].pot = self.ask("pot_of", event)
        return step

    def _remember(self, log: Seen, data: bytes) -> Seen | None:
        """Keeps it at once; but for a status, whose old value is judged first."""
        if log.name == "StatusChanged":
            return log
        self.keep(log, data)
        return None

    def preset(self, id: int, word: int) -> None:
        """The test itself changed a word."""
        self.words[id] = word

    def look_at_sums(self, accounts: tuple[int, ...]) -> None:
        """No word changed unseen (20), balances are as transferred (3), terms as created (8), tokens enough (6, 7)."""
        for id, word in self.words.items():
            assert self.word(id) == word, f"{id} changed without an event"
        for account in accounts:
            assert self.ask("balance_of", account) == self.balances[account]
        for id in self.events:
            terms_are_as_created(self, id)
            if self.events[id].bought:
                _check_escrow(self, id)
        tokens_cover_all(self)

    def saw_all_refunded(self, event: int) -> None:
        """7, in the end: nothing is left in the escrow of a cancelled event whose tickets were all refunded."""
        assert self.ask("escrow_of", event) == 0, f"escrow of {event} is not empty"
