"""Leads tickets from issue through sale, one resale and redemption, and looks whether all arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.bench.gas.chain import Account, Call, account, accounts
from scripts.bench.gas.contender import Contender, Line
from scripts.bench.gas.ours import COOLDOWN, Ours

STEPS = ("issue", "deliver", "approve", "resale", "redeem")


@dataclass(frozen=True, slots=True)
class Plan:
    """So many tickets, `batch` of them in a transaction. Fans are `custodial`, or have `own` wallets, or these and
    resell for tokens (`usd`): then each resale is a transaction of its buyer.
    """

    kind: str
    count: int
    batch: int

    def __str__(self) -> str:
        return f"{self.count:,} {self.kind}, {self.batch} at once"


@dataclass(frozen=True, slots=True)
class Life:
    """Gas of every transaction of every step; `approve` is the sellers' consent to the market, where one is needed.

    `extra` is gas outside a life: paying out credits and royalties.
    """

    count: int
    steps: dict[str, list[int]]
    extra: dict[str, list[int]]
    wrong: list[str]

    def each(self, step: str) -> float:
        """Gas of a step for each ticket."""
        return sum(self.steps[step]) / self.count

    def total(self) -> float:
        """Gas of all steps for each ticket."""
        return sum(map(self.each, STEPS))


def lead(contender: Contender, plan: Plan) -> Life:
    """Leads a plan's tickets through life, each bought by one fresh fan and sold to another, in an event of its own.

    What only the very first ticket of a contract pays is not counted: one lives before.
    """
    _live(contender, Plan(plan.kind, 1, 1), "first")
    return _live(contender, plan, "later")


def gifts(contender: Contender, custodied: bool, count: int, plain: bool = False) -> tuple[list[int], list[str]]:
    """Gas of single gifts to fresh fans, and what was not right; `plain`: by ERC-721's own transfer."""
    contender.open(False)
    people, friends = accounts(f"giver {custodied} {plain}", count), accounts(f"friend {custodied} {plain}", count)
    ids, calls = contender.issue(count)
    contender.chain.run(calls)
    sold = [Line(id, to) for id, to in zip(ids, people, strict=True)]
    contender.chain.run([contender.deliver(sold, custodied)])
    contender.chain.wait(COOLDOWN + 1)
    lines = [Line(line.id, to, line.to) for line, to in zip(sold, friends, strict=True)]
    if plain:
        assert isinstance(contender, Ours)
        gas = contender.chain.run([contender.gift_by_transfer(line) for line in lines])
    else:
        gas = contender.chain.run([contender.gift(line, custodied) for line in lines])
    return gas, contender.check(lines, custodied, redeemed=False)


def _live(contender: Contender, plan: Plan, generation: str) -> Life:
    chain, custodied, tokens = contender.chain, plan.kind == "custodial", plan.kind == "usd"
    contender.open(tokens)
    sellers, buyers = accounts(f"{generation} seller", plan.count), accounts(f"{generation} buyer", plan.count)
    ids, issuing = contender.issue(plan.count)
    sales = [Line(id, to) for id, to in zip(ids, sellers, strict=True)]
    resales = [Line(id, to, seller) for id, to, seller in zip(ids, buyers, sellers, strict=True)]
    steps = {"issue": chain.run(issuing), "approve": []}
    steps["deliver"] = chain.run([contender.deliver(part, custodied) for part in _parts(sales, plan.batch)])
    chain.wait(COOLDOWN + 1)
    if tokens:
        contender.fund(buyers)
        steps["approve"] = chain.run([call for seller in sellers for call in contender.approve(seller)])
        steps["resale"] = chain.run([contender.buy(line) for line in resales])
    else:
        steps["resale"] = chain.run([contender.settle(part, custodied) for part in _parts(resales, plan.batch)])
    steps["redeem"] = chain.run([contender.redeem(part) for part in _parts(resales, plan.batch)])
    wrong = contender.check(resales, custodied, redeemed=True)
    wrong += contender.check_money(sellers) if tokens else []
    extra, more = _pay_out(contender, sellers, tokens) if isinstance(contender, Ours) else ({}, [])
    return Life(plan.count, steps, extra, wrong + more)


def _pay_out(ours: Ours, sellers: Sequence[Account], tokens: bool) -> tuple[dict[str, list[int]], list[str]]:
    """What our ledger still owes after a life, paid: credits to sellers and royalties to payees."""
    if not tokens:
        return {}, ours.check_settled(len(sellers))
    due = len(sellers)
    extra = {"claim": ours.chain.run([ours.claim(seller) for seller in sellers])}
    extra["release"] = ours.chain.run([ours.release()])
    payees = [account(f"payee {number}") for number in range(3)]
    ours.chain.run([Call(payee, ours.ledger, ours.claim(payee).data) for payee in payees])
    left = ours.balances([Account(payees[0].key, ours.ledger)])[0]
    return extra, [f"{left:,} token units left after {due:,} resales"] if left else []


def _parts(lines: Sequence[Line], size: int) -> list[Sequence[Line]]:
    return [lines[start : start + size] for start in range(0, len(lines), size)]
