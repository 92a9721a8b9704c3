"""Random honest histories have no finding, and add up to what was done; one random lie among them is found."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.histories import CLOSING, FACE, History, person, terms, ticket
from ticketchain.audit.model import NOBODY
from ticketchain.audit.money import cap_of, royalty_of, split
from ticketchain.audit.report import counts, money_totals, summaries

SUPPLY = 6
Choices = st.tuples(
    st.integers(0, 9), st.integers(0, SUPPLY - 1), st.integers(0, 5), st.integers(0, 1 << 40), st.booleans()
)


class Honest:
    """Turns arbitrary choices into steps that the rules allow, keeping books of its own."""

    def __init__(self, cap_bps: int, royalty_bps: int, face: int, shares: list[int]) -> None:
        self.payees = [(person(100 + place), bps) for place, bps in enumerate(shares)]
        payees = [{"account": account, "bps": bps} for account, bps in self.payees]
        self.terms = terms(capBps=cap_bps, royaltyBps=royalty_bps, payees=payees)
        self.face, self.cap = face, cap_of(face, cap_bps)
        self.history = History()
        self.history.create_event(terms_=self.terms)
        self.history.issue(SUPPLY, face=face)
        self.pot = self.sold = self.resold = self.released = 0
        self.gifts: dict[int, int] = {}
        self.ended: set[int] = set()

    def step(self, choice: int, index: int, who: int, price: int, custodied: bool) -> None:
        """Do the chosen thing if it is allowed now."""
        self.history.now += 1
        id_ = ticket(index)
        holder, _ = self.history.known(id_)
        if choice == 7:
            self.release()
        elif id_ in self.ended:
            return
        elif holder == NOBODY:
            self.sell(id_, who, price, custodied)
        elif choice in (0, 1):
            self.resell(id_, who, price, custodied)
        elif choice in (2, 3) and self.gifts[id_] < 2 and person(who) != holder:
            self.history.give(id_, person(who), custodied=custodied)
            self.gifts[id_] += 1
        elif choice == 4:
            self.history.redeem(id_)
            self.ended.add(id_)
        elif choice == 5:
            self.history.refund(id_, price % (min(self.history.tickets[id_]["price"], self.face) + 1))
        elif choice == 8:
            self.swap(id_, ticket((index + 1) % SUPPLY))
        elif choice == 9:
            self.exchange(id_, ticket((index + 1) % SUPPLY))
        elif choice == 6:
            self.finish(id_, dead=price % 2 == 0)

    def sell(self, id_: int, who: int, price: int, custodied: bool) -> None:
        paid = price % (self.face + 1)
        self.history.deliver(id_, person(who), price=paid, custodied=custodied)
        self.sold += paid
        self.gifts[id_] = 0

    def resell(self, id_: int, who: int, price: int, custodied: bool) -> None:
        paid = price % (self.cap + 1)
        if person(who) == self.history.known(id_)[0]:
            return
        self.history.settle(id_, person(who), price=paid, custodied=custodied)
        self.resold += paid
        self.pot += royalty_of(paid, self.face, self.terms["royaltyBps"])
        self.gifts[id_] = 0

    def swap(self, id_: int, other: int) -> None:
        (holder, _), (other_holder, _) = self.history.known(id_), self.history.known(other)
        free = other not in self.ended and other_holder not in (NOBODY, holder)
        if free and self.gifts[id_] < 2 and self.gifts[other] < 2:
            self.history.swap(id_, other)
            self.gifts[id_] += 1
            self.gifts[other] += 1

    def exchange(self, id_: int, other: int) -> None:
        if other not in self.ended and self.history.known(other)[0] == NOBODY:
            self.history.exchange(id_, other)
            self.gifts[other] = self.gifts[id_]

    def finish(self, id_: int, *, dead: bool) -> None:
        if dead:
            if self.gifts[id_]:
                self.history.mark("Frozen", id_)
            self.history.void(id_)
            self.ended.add(id_)
        else:
            self.history.revoke(id_)

    def release(self) -> None:
        if self.pot:
            parts = split(self.pot, [bps for _, bps in self.payees])
            self.history.release(*((account, part) for (account, _), part in zip(self.payees, parts, strict=True)))
        self.released += self.pot
        self.pot = 0


@st.composite
def honest(draw: st.DrawFn) -> Honest:
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=4)))
    shares = [high - low for low, high in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    story = Honest(
        draw(st.integers(0, 65_535)), draw(st.integers(0, 10_000)), draw(st.integers(0, (1 << 40) - 1)), shares
    )
    for choices in draw(st.lists(Choices, max_size=60)):
        story.step(*choices)
    return story


@given(honest())
@settings(max_examples=150, deadline=None)
def test_honest_histories_agree_and_add_up(story: Honest) -> None:
    state, findings = story.history.audit()
    assert findings == []
    total = counts(state, summaries(state))
    assert total.in_stock + total.held + total.redeemed + total.void == total.issued == SUPPLY
    assert total.redeemed + total.void == len(story.ended)
    assert state.events[1].pot == story.pot
    for money in money_totals(state):
        assert (money.primary, money.resale, money.released) == (story.sold, story.resold, story.released)
        assert money.royalties + money.sellers == money.resale


@given(honest(), st.integers(0, 3), st.integers(0, SUPPLY - 1))
@settings(max_examples=60, deadline=None)
def test_one_lie_at_the_end_is_found(story: Honest, which: int, index: int) -> None:
    history, id_ = story.history, ticket(index)
    history.now = CLOSING
    if which == 0:
        history.settle(id_, person(9), price=FACE)
    elif which == 1:
        history.redeem(ticket(SUPPLY), epoch=0)
    elif which == 2:
        history.give(id_, person(9))
    else:
        history.release(*((account, story.pot // len(story.payees) + 1) for account, _ in story.payees))
    assert {finding.tx for finding in history.findings()} == {history.logs[-1].tx}
