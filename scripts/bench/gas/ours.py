"""Our ledger, used as the service uses it: by a relayer to whom the organizer delegated, with all consents."""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from scripts.bench.gas.chain import START, Account, Call, Chain, account, domain_separator, struct_hash, typed_digest
from scripts.bench.gas.contender import (
    FACE,
    PAYEES,
    ROYALTY,
    UNIT,
    WORKER,
    Contender,
    Line,
    address_of,
    checked,
    word,
    words,
)
from ticketchain.artifacts import load
from ticketchain.chain.deploy import ADMIN, ATTESTOR, RELAYER
from ticketchain.chain.gateway import decode_result, encode_call

PARTS = ("TicketLedger", "TicketDesk", "TicketOffice")
COOLDOWN = 3_600

_ADMIN, _ATTESTOR, _ORGANIZER = account("admin"), account("attestor"), account("organizer")
_DAY = 86_400
_DEADLINE = START + 20 * _DAY
_SUPPLY = 100_000
_TERMS = {
    "currency": b"EUR",
    "capBps": 10_000,
    "royaltyBps": 500,
    "giftLimit": 2,
    "cooldown": COOLDOWN,
    "token": "0x" + 40 * "0",
    "unitExponent": 4,
    "refundRule": keccak(text="refund rule"),
    "payees": [{"account": payee, "bps": bps} for payee, bps in zip(PAYEES, (3_333, 3_333, 3_334), strict=True)],
    "supplies": [_SUPPLY, 1, 1, 1],
    "earliestRelease": START + 40 * _DAY,
    "holderLimit": 0,
    "entries": 1,
    "capAtPaid": False,
    "reissue": False,
    "identity": False,
    "giftRoot": bytes(32),
}
_SCHEDULE = {
    "doorsAt": START + 31 * _DAY,
    "movesCloseAt": START + 30 * _DAY,
    "giftsCloseAt": START + 29 * _DAY,
    "resaleOpensAt": START,
    "resaleClosesAt": START + 28 * _DAY,
    "releaseAt": START + 40 * _DAY,
}
_OFFER = "Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)"
_NOBODY = "0x" + 40 * "0"
_CUSTODIED_FLAG, _REDEEMED_FLAG = 1, 2


class Ours(Contender):
    """The ledger in its three parts."""

    name = "ours"

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        desk, desk_gas = chain.deploy(WORKER, load("TicketDesk").bytecode)
        arguments = [_ADMIN.address, "https://tickets.example/", desk]
        self.ledger, ledger_gas = chain.deploy(
            WORKER, load("TicketLedger").bytecode, ["address", "string", "address"], arguments
        )
        self.deploy_gas = desk_gas + ledger_gas
        self.code_bytes = max(len(load(part).deployed_bytecode) for part in PARTS)
        self._domain = domain_separator("ticketchain", self.ledger)
        for data in (
            encode_call("setRoles", 0, WORKER.address, RELAYER),
            encode_call("setRoles", 0, _ATTESTOR.address, ATTESTOR),
            encode_call("setRoles", 0, _ADMIN.address, ADMIN),
            encode_call("allowToken", self.token, True),
        ):
            chain.run([Call(_ADMIN, self.ledger, data)])
        self.event = self._batches = 0
        self.event_token = _NOBODY
        self.event_gas = 0

    @property
    def spender(self) -> str:
        """The ledger settles by itself."""
        return self.ledger

    def open(self, in_tokens: bool) -> None:
        """Creates an event for the organizer, which delegates to the relayer."""
        self.event_token = self.token if in_tokens else _NOBODY
        terms = _TERMS | {"token": self.event_token}
        data = encode_call("createEvent", _ORGANIZER.address, bytes(32), terms, _SCHEDULE)
        self.event_gas = self.chain.run([Call(WORKER, self.ledger, data)])[0]
        self.event, self._batches = self.event + 1, 0

    def issue(self, count: int) -> tuple[list[int], list[Call]]:
        """One batch, whatever its size."""
        first = self.event << 24 | self._batches << 16
        batch = {"supply": count, "priceClass": 1, "supplyClass": 0, "section": 7, "face": FACE}
        data = encode_call("issue", self.event, self._batches, batch, keccak(text="manifest"))
        self._batches += 1
        return list(range(first, first + count)), [Call(WORKER, self.ledger, data)]

    def deliver(self, lines: Sequence[Line], custodied: bool) -> Call:
        """Attested. In an event of the token rail the tickets are free: nothing else is delivered there."""
        price = 0 if self.event_token != _NOBODY else FACE
        pairs = [(_target(line, 0, custodied), _reference(line) | price << 128) for line in lines]
        attestation = self._attest("Deliveries", pairs)
        return Call(WORKER, self.ledger, encode_call("deliver", self.event, pairs, attestation))

    def gift(self, line: Line, custodied: bool) -> Call:
        """Relayed, with the holder's consent."""
        assert line.seller is not None
        kind = "Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)"
        consent = self._sign(line.seller, struct_hash(kind, line.id, 1, line.to.address, custodied, _DEADLINE))
        data = encode_call("gift", line.id, 1, line.to.address, custodied, _DEADLINE, consent)
        return Call(WORKER, self.ledger, data)

    def gift_by_transfer(self, line: Line) -> Call:
        """The plain ERC-721 way: sent by the holder, whose wallet it is."""
        assert line.seller is not None
        data = encode_call("transferFrom", line.seller.address, line.to.address, line.id)
        return Call(line.seller, self.ledger, data)

    def settle(self, lines: Sequence[Line], custodied: bool) -> Call:
        """Each seller's offer and the attestor's signature over all payments are checked."""
        terms = FACE << 128 | _DEADLINE << 168
        pairs = [(_target(line, 1, custodied), _reference(line) | terms) for line in lines]
        signatures = [self._offer(line) for line in lines]
        consents = b"".join(len(signature).to_bytes(2, "big") + signature for signature in signatures)
        attestation = self._attest("Settlements", pairs)
        return Call(WORKER, self.ledger, encode_call("settleResales", self.event, pairs, consents, attestation))

    def approve(self, seller: Account) -> list[Call]:
        """Nothing: the ledger is the market."""
        return []

    def buy(self, line: Line) -> Call:
        """The seller's part stays in the ledger as its credit."""
        data = encode_call("buyResale", line.id, 1, FACE, _NOBODY, _DEADLINE, self._offer(line))
        return Call(line.to, self.ledger, data)

    def claim(self, seller: Account) -> Call:
        """Pays out the credit of any number of resales."""
        return Call(seller, self.ledger, encode_call("claim", self.token))

    def release(self) -> Call:
        """Splits the event's royalties among its three payees."""
        return Call(WORKER, self.ledger, encode_call("release", self.event, _TERMS["payees"]))

    def redeem(self, lines: Sequence[Line]) -> Call:
        """A line names the epoch that the gate saw."""
        redemptions = [(line.id & 0xFFFFFF) << 16 | 2 for line in lines]
        return Call(WORKER, self.ledger, encode_call("redeem", self.event, redemptions))

    def check(self, lines: Sequence[Line], custodied: bool, redeemed: bool) -> list[str]:
        """Holder, flags and epoch as stored, and ERC-721's owner."""
        stored = self.chain.ask(self.ledger, [encode_call("ticketWordOf", line.id) for line in lines])
        owners = self.chain.ask(self.ledger, [encode_call("ownerOf", line.id) for line in lines])
        flags = (_CUSTODIED_FLAG if custodied else 0) | (_REDEEMED_FLAG if redeemed else 0)
        bad_words = bad_owners = 0
        for line, answer, owner in zip(lines, stored, owners, strict=True):
            value = int.from_bytes(answer, "big")
            found = value & (1 << 160) - 1, value >> 160 & 3, value >> 168 & 0xFFFF
            bad_words += found != (int(line.to.address, 16), flags, 2)
            bad_owners += address_of(owner) != (self.ledger if custodied else line.to.address)
        return checked("holders", bad_words, len(lines)) + checked("owners", bad_owners, len(lines))

    def check_money(self, sellers: Sequence[Account]) -> list[str]:
        """The sellers' credits, and the pot; together they are what the ledger has."""
        asked = [encode_call("creditOf", seller.address, self.token) for seller in sellers]
        credits = [int.from_bytes(answer, "big") for answer in self.chain.ask(self.ledger, asked)]
        bad = sum(credit != (FACE - ROYALTY) * UNIT for credit in credits)
        pot = self.pot()
        return checked("credits", bad, len(sellers)) + checked("pot", pot != len(sellers) * ROYALTY * UNIT, 1)

    def check_settled(self, count: int) -> list[str]:
        """The pot after so many resales in fiat money."""
        return checked("pot", self.pot() != count * ROYALTY, 1)

    def pot(self) -> int:
        """The event's royalties, not yet split."""
        answer = self.chain.ask(self.ledger, [encode_call("potOf", self.event)])[0]
        return int(decode_result("potOf", answer))

    def _offer(self, line: Line) -> bytes:
        assert line.seller is not None
        values = (line.id, 1, FACE, b"EUR", self.event_token, _NOBODY, _DEADLINE)
        return self._sign(line.seller, struct_hash(_OFFER, *values))

    def _attest(self, kind: str, pairs: Sequence[tuple[int, int]]) -> bytes:
        lines = keccak(words([number for pair in pairs for number in pair]))
        hashed = keccak(
            keccak(text=f"{kind}(uint40 eventId,bytes32 lines)") + encode(["uint40", "bytes32"], [self.event, lines])
        )
        return self._sign(_ATTESTOR, hashed)

    def _sign(self, who: Account, hashed: bytes) -> bytes:
        return who.sign(typed_digest(self._domain, hashed))


def _target(line: Line, epoch: int, custodied: bool) -> int:
    return word(line) | epoch << 224 | custodied << 240


def _reference(line: Line) -> int:
    """A reference as random as the service's."""
    return int.from_bytes(keccak(line.id.to_bytes(8, "big"))[:16], "big")
