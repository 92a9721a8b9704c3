"""A ledger on a real chain, driven with plain web3 and eth-account: people with random keys, consents, attestations.

Nothing of the service or of the auditor is used, so that what it sends and signs is a third opinion.
"""

from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.types import TxReceipt

NOBODY = "0x" + "00" * 20
FAR = (1 << 40) - 1
ADMIN, RELAYER, ATTESTOR, ORGANIZER, GATE = 1, 2, 4, 8, 16
FACE = 5_000
TYPES = {
    "Gift": "uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline",
    "Offer": "uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline",
    "Refund": "uint64 id,uint16 epoch,uint40 amount,uint40 deadline",
    "Revoke": "uint64 id,uint16 epoch,uint40 deadline",
    "Deliveries": "uint40 eventId,bytes32 lines",
    "Settlements": "uint40 eventId,bytes32 lines",
    "Void": "uint64 id,uint16 epoch,bytes16 reference",
}


class LedgerOnChain:
    """One deployed ledger with its admin, relayer, attestor, organizer and gate."""

    def __init__(self, url: str, abi: list[dict[str, Any]], bytecode: bytes | str) -> None:
        self.web3 = Web3(Web3.HTTPProvider(url))
        self.url, self.chain_id = url, self.web3.eth.chain_id
        self.admin, self.relayer, self.attestor = (Account.create() for _ in range(3))
        self.organizer, self.gate, self.venue, self.artist = (Account.create() for _ in range(4))
        self.payments = 0
        draft = self.web3.eth.contract(abi=abi, bytecode=bytecode)
        receipt = self.send(self.admin, draft.constructor(self.admin.address, "https://tickets.example/"))
        self.deployed_at = int(receipt["blockNumber"])
        assert receipt["contractAddress"]
        self.address = receipt["contractAddress"]
        self.contract: Contract = self.web3.eth.contract(address=self.address, abi=abi)
        self.call(self.admin, "setRoles", 0, self.relayer.address, RELAYER)
        self.call(self.admin, "setRoles", 0, self.attestor.address, ATTESTOR)

    # ------------------------------------------------------------------------------------------ sending

    def send(self, sender: LocalAccount, function: Any) -> TxReceipt:
        """Send a transaction and see it succeed; gas is free on the test chain."""
        nonce = self.web3.eth.get_transaction_count(sender.address)
        fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "gas": 10_000_000}
        transaction = function.build_transaction(
            {"from": sender.address, "nonce": nonce, "chainId": self.chain_id, **fees}
        )
        raw = sender.sign_transaction(transaction).raw_transaction
        receipt = self.web3.eth.wait_for_transaction_receipt(self.web3.eth.send_raw_transaction(raw), poll_latency=0.01)
        assert receipt["status"] == 1, "reverted"
        return receipt

    def call(self, sender: LocalAccount, name: str, *args: Any) -> TxReceipt:
        """Call a function of the ledger."""
        return self.send(sender, self.contract.get_function_by_name(name)(*args))

    def sign(self, signer: LocalAccount, kind: str, **message: Any) -> bytes:
        """An EIP-712 signature for this ledger on this chain."""
        fields = [dict(zip(("type", "name"), part.split(), strict=True)) for part in TYPES[kind].split(",")]
        domain = {"name": "ticketchain", "version": "1", "chainId": self.chain_id, "verifyingContract": self.address}
        signable = encode_typed_data(domain, {kind: fields}, message)
        return bytes(signer.sign_message(signable).signature)

    # ------------------------------------------------------------------------------------------ the story

    def create_event(self, *, token: str = NOBODY, cooldown: int = 0, cap_bps: int = 11_000) -> None:
        """An event made by the relayer for the organizer, open for an hour; two payees."""
        now = self.web3.eth.get_block("latest")["timestamp"]
        payees = self.payees()
        exponent = 4 if token != NOBODY else 0
        terms = (b"EUR", cap_bps, 1_000, 2, cooldown, token, exponent, bytes(32), payees)
        closing = now + 3_600
        times = (closing, closing, closing, now - 1, closing)
        self.call(self.relayer, "createEvent", self.organizer.address, bytes(32), terms, times)

    def payees(self) -> list[tuple[str, int]]:
        """Who gets the royalties."""
        return [(self.venue.address, 6_667), (self.artist.address, 3_333)]

    def issue(self, supply: int, *, event: int = 1, number: int = 0, supply_class: int = 0) -> None:
        """Issue a batch."""
        self.call(self.relayer, "issue", event, number, (supply, 1, supply_class, 1, FACE), bytes(32))

    def epoch(self, id_: int) -> int:
        """A ticket's epoch now."""
        return int(self.contract.functions.ticketWordOf(id_).call()) >> 168 & 0xFFFF

    def line(self, id_: int, holder: str, price: int, custodied: bool) -> tuple[int, int]:
        """A packed line at the ticket's epoch, under a new reference."""
        self.payments += 1
        target = int(holder, 16) | id_ << 160 | self.epoch(id_) << 224 | custodied << 240
        return target, self.payments | price << 128

    def attested(
        self, kind: str, event: int, lines: list[tuple[int, int]], signer: LocalAccount | None = None
    ) -> bytes:
        """The attestor's signature over lines."""
        packed = b"".join(word.to_bytes(32, "big") for line in lines for word in line)
        return self.sign(signer or self.attestor, kind, eventId=event, lines=Web3.keccak(packed))

    def deliver(
        self,
        *sales: tuple[int, LocalAccount],
        price: int = FACE,
        custodied: bool = False,
        attestor: LocalAccount | None = None,
    ) -> None:
        """Sell tickets from stock in one transaction."""
        lines = [self.line(id_, fan.address, price, custodied) for id_, fan in sales]
        event = sales[0][0] >> 24
        self.call(self.relayer, "deliver", event, lines, self.attested("Deliveries", event, lines, attestor))

    def offer(self, id_: int, seller: LocalAccount, price: int, *, token: str = NOBODY) -> bytes:
        """The seller's consent to sell to anyone."""
        message = {"id": id_, "epoch": self.epoch(id_), "price": price, "currency": b"EUR", "token": token}
        return self.sign(seller, "Offer", **message, buyer=NOBODY, deadline=FAR)

    def settle(
        self, id_: int, seller: LocalAccount, buyer: LocalAccount, price: int, *, custodied: bool = False
    ) -> TxReceipt:
        """Resell a ticket for fiat money."""
        line, event = self.line(id_, buyer.address, price, custodied), id_ >> 24
        settlement = (*line, FAR, self.offer(id_, seller, price))
        return self.call(
            self.relayer, "settleResales", event, [settlement], self.attested("Settlements", event, [line])
        )

    def give(self, id_: int, giver: LocalAccount, to: LocalAccount, *, custodied: bool = False) -> None:
        """Give a ticket away by consent; the relayer sends it."""
        epoch = self.epoch(id_)
        consent = self.sign(giver, "Gift", id=id_, epoch=epoch, to=to.address, custodied=custodied, deadline=FAR)
        self.call(self.relayer, "gift", id_, epoch, to.address, custodied, FAR, consent)

    def refund(self, id_: int, holder: LocalAccount, amount: int) -> None:
        """Return a ticket to stock."""
        epoch = self.epoch(id_)
        consent = self.sign(holder, "Refund", id=id_, epoch=epoch, amount=amount, deadline=FAR)
        self.call(self.relayer, "refund", id_, epoch, amount, bytes(16), FAR, consent)

    def revoke(self, id_: int, holder: LocalAccount) -> None:
        """Bump the epoch by consent."""
        epoch = self.epoch(id_)
        consent = self.sign(holder, "Revoke", id=id_, epoch=epoch, deadline=FAR)
        self.call(self.relayer, "revoke", id_, epoch, FAR, consent)

    def void(self, id_: int) -> None:
        """Kill a ticket."""
        epoch = self.epoch(id_)
        attestation = self.sign(self.attestor, "Void", id=id_, epoch=epoch, reference=bytes(16))
        self.call(self.relayer, "voidTicket", id_, epoch, bytes(16), attestation)

    def redeem(self, *ids: int, gate: LocalAccount | None = None) -> None:
        """Use tickets at the gate (the relayer's, unless another is named)."""
        lines = [(id_ & 0xFFFFFF) << 16 | self.epoch(id_) for id_ in ids]
        self.call(gate or self.relayer, "redeem", ids[0] >> 24, lines)

    def release(self, *, event: int = 1) -> None:
        """Split the pot."""
        self.call(self.venue, "release", event, self.payees())
