"""What every measured contract can be asked to do. Each answers with transactions, so that all are sent alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode

from scripts.bench.gas.chain import Account, Call, Chain, account, accounts, calldata
from scripts.bench.gas.compiled import compiled

FACE = 5_000
"""Face price and resale price, minor units: 50.00."""
UNIT = 10_000
"""Token units of a minor unit: the token has 6 decimals."""
ROYALTY = FACE * 500 // 10_000
"""Royalty of a resale, minor units: 5 %."""
PAYEES = tuple(payee.address for payee in accounts("payee", 3))

WORKER = account("worker")
"""Relayer, gate and organizer of ours; operator of a peer."""

_PURSE = 100 * FACE * UNIT  # what a buyer has: some stays, as in life
_UNLIMITED = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket and who gets it; in a resale also from whom."""

    id: int
    to: Account
    seller: Account | None = None


class Contender(ABC):
    """One contract, freshly deployed, and the money of its resales."""

    name: str
    deploy_gas: int
    code_bytes: int

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.token = chain.deploy(WORKER, compiled("BenchToken").bytecode)[0]
        self.fund([account("payee 0"), account("payee 1"), account("payee 2")], approve=False)

    def fund(self, buyers: Sequence[Account], approve: bool = True) -> None:
        """Gives buyers money and lets whoever draws it, once and without limit: not counted, for all need it."""
        for start in range(0, len(buyers), 200):
            addresses = [buyer.address for buyer in buyers[start : start + 200]]
            self.chain.run([Call(WORKER, self.token, calldata("mint(address[],uint256)", addresses, _PURSE))])
        if approve:
            data = calldata("approve(address,uint256)", self.spender, _UNLIMITED)
            self.chain.run([Call(buyer, self.token, data) for buyer in buyers])

    def balances(self, holders: Sequence[Account]) -> list[int]:
        """Tokens that each has."""
        questions = [calldata("balanceOf(address)", holder.address) for holder in holders]
        return [int.from_bytes(answer, "big") for answer in self.chain.ask(self.token, questions)]

    @property
    @abstractmethod
    def spender(self) -> str:
        """Who draws the buyer's tokens."""

    @abstractmethod
    def open(self, in_tokens: bool) -> None:
        """Makes a new event."""

    @abstractmethod
    def issue(self, count: int) -> tuple[list[int], list[Call]]:
        """Ids of so many new tickets of the event, and what issues them."""

    @abstractmethod
    def deliver(self, lines: Sequence[Line], custodied: bool) -> Call:
        """Hands tickets to their first holders."""

    @abstractmethod
    def gift(self, line: Line, custodied: bool) -> Call:
        """Gives a delivered ticket away."""

    @abstractmethod
    def settle(self, lines: Sequence[Line], custodied: bool) -> Call:
        """Resales paid in fiat money."""

    @abstractmethod
    def approve(self, seller: Account) -> list[Call]:
        """What a seller must send before its first resale in tokens."""

    @abstractmethod
    def buy(self, line: Line) -> Call:
        """A resale in tokens, sent by the buyer."""

    @abstractmethod
    def redeem(self, lines: Sequence[Line]) -> Call:
        """Marks resold tickets as used."""

    @abstractmethod
    def check(self, lines: Sequence[Line], custodied: bool, redeemed: bool) -> list[str]:
        """What is not as it should be with these tickets' holders and marks."""

    @abstractmethod
    def check_money(self, sellers: Sequence[Account]) -> list[str]:
        """What is not as it should be with the money, if each sold one ticket in tokens in the event."""


def word(line: Line) -> int:
    """Account and id in one word, as all contracts here take them."""
    return int(line.to.address, 16) | line.id << 160


def words(numbers: Sequence[int]) -> bytes:
    """Numbers of 32 bytes, one after the other."""
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def checked(what: str, wrong: int, of: int) -> list[str]:
    """A sentence about so many wrong ones, or nothing."""
    return [f"{what}: {wrong:,} of {of:,} wrong"] if wrong else []


def address_of(answer: bytes) -> str:
    """An answered address."""
    return "0x" + answer[-20:].hex()


def encoded(address: str) -> bytes:
    """An address as 32 bytes."""
    return encode(["address"], [address])
