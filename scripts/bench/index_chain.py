"""A chain to index: tickets delivered in bulk to own wallets, some given on by `transferFrom`, many redeemed in bulk.

Everything is signed beforehand and sent past the service's outbox, so that a hundred thousand logs take a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from ticketchain.chain.abi import encode_call
from ticketchain.chain.encode import call_of
from ticketchain.context import Context, now
from ticketchain.domain.intents import CreateEvent, Deliver, Intent, Issue, Redeem
from ticketchain.domain.policy import Supplies, Terms, schedule_of
from ticketchain.domain.ports import UnsignedTransaction
from ticketchain.domain.refunds import RefundRule
from ticketchain.domain.tickets import ticket_id

LINES, BATCH, WALLETS = 100, 50_000, 500
GIFTS_A_BLOCK, CALLS_A_BLOCK = 100, 2
_GAS = 16_000_000


@dataclass
class Mix:
    """So many tickets are delivered, given on and redeemed that it makes about `logs` logs: a delivery to an own wallet
    logs a Transfer of ERC-721 beside its line, a gift two logs.
    """

    logs: int

    @property
    def tickets(self) -> int:
        """Tickets delivered."""
        return self.logs * 60 // 100 // LINES * LINES

    @property
    def gifts(self) -> int:
        """Tickets given on, once each."""
        return self.logs * 19 // 100

    @property
    def redeemed(self) -> int:
        """Tickets redeemed."""
        return self.tickets // 2 // LINES * LINES


class Writer:
    """Sends signed calls of the first relayer and of wallets, and mines."""

    def __init__(self, context: Context) -> None:
        assert context.embedded is not None
        self.context, self.chain, self.signer = context, context.embedded, context.parts.signer
        self.relayer = self.signer.relayer
        self.nonce = context.gateway.nonce(self.relayer)

    def call(self, event: int, intents: list[Intent]) -> bytes:
        """A signed call that carries intents of one event."""
        data = call_of(event, intents, self.signer.attest)
        self.nonce += 1
        return self.signer.transaction(UnsignedTransaction(self.relayer, self.nonce - 1, _GAS, 0, 0, data)).raw

    def mine(self, raws: Iterable[bytes], a_block: int) -> None:
        """Puts transactions on the chain, so many a block. Raises what the node says to the first it does not take."""
        left = iter(raws)
        while block := list(islice(left, a_block)):
            for answer in self.context.gateway.send_raw_many(block):
                if isinstance(answer, Exception):
                    raise answer
            self.chain.mine()


def build(context: Context, mix: Mix) -> None:
    """Makes the chain's history; at the end all of it is final."""
    writer = Writer(context)
    writer.mine([writer.call(0, [_event(mix)])], 1)
    batches = range(-(-mix.tickets // BATCH))
    writer.mine((writer.call(1, [Issue(b, BATCH, 0, 0, 0, 5_000, "11" * 32)]) for b in batches), 1)
    wallets = [Account.from_key((number + 1).to_bytes(32, "big")) for number in range(WALLETS)]
    tickets = [ticket_id(1, n // BATCH, n % BATCH) for n in range(mix.tickets)]
    writer.mine(_deliveries(writer, tickets, wallets), CALLS_A_BLOCK)
    writer.mine(_gifts(context, tickets[: mix.gifts], wallets), GIFTS_A_BLOCK)
    writer.mine(_redemptions(writer, tickets[: mix.redeemed], mix.gifts), CALLS_A_BLOCK)
    assert context.embedded is not None
    context.embedded.snapshot()


def _event(mix: Mix) -> CreateEvent:
    schedule = schedule_of(now() + timedelta(days=3), None, None, now(), None)
    terms = asdict(Terms("EUR", 11_000, 500, 1, 0, RefundRule(), Supplies(public=BATCH * (1 + mix.tickets // BATCH))))
    on_chain = terms | {"refund_rule": RefundRule().digest().hex()}
    on_chain["payees"] = [{"account": "0x" + "22" * 20, "bps": 10_000}]
    return CreateEvent("0x" + "22" * 20, "33" * 16, on_chain, asdict(schedule))


def _deliveries(writer: Writer, tickets: list[int], wallets: list[LocalAccount]) -> Iterator[bytes]:
    for start in range(0, len(tickets), LINES):
        lines: list[Intent] = [
            Deliver(ticket, 0, wallets[(start + n) % WALLETS].address, False, 5_000, f"{start + n:032x}")
            for n, ticket in enumerate(tickets[start : start + LINES])
        ]
        yield writer.call(1, lines)


def _gifts(context: Context, tickets: list[int], wallets: list[LocalAccount]) -> Iterator[bytes]:
    ledger, chain_id = context.deployment.address, context.deployment.chain_id
    fixed: dict[str, Any] = {"type": 2, "chainId": chain_id, "to": ledger, "value": 0, "gas": 300_000}
    fixed |= {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    for number, ticket in enumerate(tickets):
        giver, taker = wallets[number % WALLETS], wallets[(number + 1) % WALLETS]
        data = encode_call("transferFrom", giver.address, taker.address, ticket)
        yield bytes(giver.sign_transaction(fixed | {"nonce": number // WALLETS, "data": data}).raw_transaction)


def _redemptions(writer: Writer, tickets: list[int], given: int) -> Iterator[bytes]:
    for start in range(0, len(tickets), LINES):
        lines: list[Intent] = [
            Redeem(ticket, 2 if start + n < given else 1) for n, ticket in enumerate(tickets[start : start + LINES])
        ]
        yield writer.call(1, lines)
