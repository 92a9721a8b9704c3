"""The figures: what is measured of ours and of every peer, and by which names. All are gas, but for `code_bytes`.

Figures of one transaction are the median of all of its kind, so that a zero more or less in an address does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

from scripts.bench.gas.chain import Call, Chain, account
from scripts.bench.gas.contender import Contender
from scripts.bench.gas.lives import Life, Plan, gifts, lead
from scripts.bench.gas.ours import Ours
from scripts.bench.gas.peers import Peer

Figures = dict[str, int]
Tell = Callable[[str], None]
"""Told what is measured next."""

SIZES = (1, 1_000, 5_000)
"""Tickets issued at once."""

BULK = 100
"""Lines of a bulk transaction, and what ours is also measured with."""
BIG = 250

TARGETS: Mapping[str, int] = {
    "code_bytes": 24_576,
    "issue_5000": 60_000,
    "gift": 60_000,
    "gift_own_sent": 60_000,
    "gift_own": 60_000,
    "resale_erc20_own": 120_000,
    "redeem_100": 800_000,
    "life_custodial_bulk_1000": 48_000,
    "life_custodial_bulk250_1000": 48_000,
}
"""What ours is to stay below; `code_bytes` is the largest part's, bound by EIP-170."""

_GIFTS = 20
_LIVES = [Plan(kind, count, batch) for kind in ("custodial", "own") for count in (100, 1_000) for batch in (1, BULK)]
_TOKEN_LIVES = [Plan("usd", count, BULK) for count in (100, 1_000)]
OUR_PLANS = [*_LIVES, Plan("custodial", 1_000, BIG), *_TOKEN_LIVES]
PEER_PLANS = [*_LIVES[:4], *_TOKEN_LIVES]
STOCK_PLANS = [Plan("custodial", 100, 1), Plan("custodial", 1_000, BULK)]
"""Lives of a peer's tickets that are minted when issued and not when sold."""


def steps_of_ours() -> int:
    """How often `measure_ours` tells of something."""
    return len(OUR_PLANS) + 1


def steps_of_a_peer() -> int:
    """How often `measure_peer` tells of something."""
    return len(PEER_PLANS) + len(STOCK_PLANS) + 1


def measure_ours(chain: Chain, tell: Tell) -> tuple[Figures, list[str]]:
    """Our figures, and what was wrong."""
    tell("ours: singles")
    ours = Ours(chain)
    figures = {"deploy": ours.deploy_gas, "code_bytes": ours.code_bytes} | _issue(ours)
    wrong: list[str] = []
    figures["issue_5000_by_organizer"] = _issue_by_organizer(ours)
    figures["create_event"] = ours.event_gas
    for name, custodied, plain in (("gift", True, False), ("gift_own", False, False), ("gift_own_sent", False, True)):
        gas, bad = gifts(Ours(chain), custodied, _GIFTS, plain)
        figures[name], wrong = round(median(gas)), wrong + bad
    lives = _lead_all(lambda: Ours(chain), OUR_PLANS, tell, wrong)
    figures |= _moves(lives, "custodial") | _moves(lives, "own", "_own")
    big = lives[Plan("custodial", 1_000, BIG)]
    figures |= {f"{step}_{BIG}": _one(big, step) for step in ("deliver", "redeem")}
    figures[f"resale_fiat_{BIG}"] = _one(big, "resale")
    figures |= _totals(lives, "custodial") | _totals(lives, "own") | _in_tokens(lives) | _split(lives)
    figures[f"life_custodial_bulk{BIG}_1000"] = round(big.total())
    paid = lives[_TOKEN_LIVES[1]]
    figures |= {"claim": round(median(paid.extra["claim"])), "release": paid.extra["release"][0]}
    figures["life_own_usd_claimed_1000"] = round(paid.total() + sum(paid.extra["claim"]) / 1_000)
    return figures, wrong


def measure_peer(chain: Chain, make: type[Peer], tell: Tell) -> tuple[Figures, list[str]]:
    """A peer's figures, and what was wrong. It knows no custody: what fans with own wallets do costs the same."""
    tell(f"{make.name}: singles")
    wrong: list[str] = []
    stocked = make(chain, True)
    figures = {"deploy": stocked.deploy_gas, "deploy_market": stocked.market_gas, "code_bytes": stocked.code_bytes}
    figures |= _issue(stocked)
    gas, bad = gifts(make(chain), False, _GIFTS)
    wrong += bad
    figures["gift"] = round(median(gas))
    stock = _lead_all(lambda: make(chain, True), STOCK_PLANS, tell, wrong)
    figures |= {
        "deliver_1": _one(stock[STOCK_PLANS[0]], "deliver"),
        "deliver_100": _one(stock[STOCK_PLANS[1]], "deliver"),
    }
    lives = _lead_all(lambda: make(chain), PEER_PLANS, tell, wrong)
    moves = _moves(lives, "custodial")
    figures |= {name.replace("deliver", "mint"): value for name, value in moves.items()}
    totals = _totals(lives, "custodial")
    figures |= totals | {name.replace("custodial", "own"): value for name, value in totals.items()}
    figures["life_issued_bulk_1000"] = round(stock[STOCK_PLANS[1]].total())
    return figures | _in_tokens(lives) | _split(lives), wrong


def _lead_all(make: Callable[[], Contender], plans: list[Plan], tell: Tell, wrong: list[str]) -> dict[Plan, Life]:
    lives = {}
    for plan in plans:
        contender = make()
        tell(f"{contender.name}: {plan}")
        lives[plan] = lead(contender, plan)
        wrong += [f"{contender.name}, {plan}: {problem}" for problem in lives[plan].wrong]
    return lives


def _issue(contender: Contender) -> Figures:
    """Issuing, after the event's first batch."""
    contender.open(False)
    contender.chain.run(contender.issue(1)[1])
    return {f"issue_{size}": sum(contender.chain.run(contender.issue(size)[1])) for size in SIZES}


def _issue_by_organizer(ours: Ours) -> int:
    """The same by the organizer itself instead of the relayer to whom it delegated."""
    call = ours.issue(SIZES[-1])[1][0]
    return ours.chain.run([Call(account("organizer"), call.to, call.data)])[0]


def _one(life: Life, step: str) -> int:
    return round(median(life.steps[step]))


def _moves(lives: Mapping[Plan, Life], kind: str, suffix: str = "") -> Figures:
    """Single and bulk transactions."""
    figures = {}
    for batch in (1, BULK):
        life = lives[Plan(kind, 1_000, batch)]
        figures[f"deliver{suffix}_{batch}"] = _one(life, "deliver")
        figures[f"resale_fiat{suffix}_{batch}"] = _one(life, "resale")
        if not suffix:
            figures[f"redeem_{batch}"] = _one(life, "redeem")
    return figures


def _totals(lives: Mapping[Plan, Life], kind: str) -> Figures:
    """Whole lives, each ticket."""
    ways = ((BULK, "bulk"), (1, "single"))
    return {
        f"life_{kind}_{way}_{count}": round(lives[Plan(kind, count, batch)].total())
        for batch, way in ways
        for count in (100, 1_000)
    }


def _in_tokens(lives: Mapping[Plan, Life]) -> Figures:
    """Resale for tokens: with all that the seller sends, and when it had approved the market before."""
    small, large = (lives[plan] for plan in _TOKEN_LIVES)
    sale = _one(large, "resale")
    approval = _one(large, "approve") if large.steps["approve"] else 0
    return {
        "resale_erc20_own": sale + approval,
        "resale_erc20_approved": sale,
        "resale_erc20_own_100": sum(small.steps["resale"]) + sum(small.steps["approve"]),
        "life_own_usd_100": round(small.total()),
        "life_own_usd_1000": round(large.total()),
    }


def _split(lives: Mapping[Plan, Life]) -> Figures:
    """`life_custodial_bulk_1000` by steps."""
    life = lives[Plan("custodial", 1_000, BULK)]
    return {f"step_{step}": round(life.each(step)) for step in ("issue", "deliver", "resale", "redeem")}
