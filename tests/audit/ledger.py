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
    "Withdraw": "uint64 id,uint16 epoch,address to,uint40 deadline",
    "Deposit": "uint64 id,uint16 epoch,address to,uint40 deadline",
    "Activate": "uint64 id,uint16 epoch,uint40 deadline",
    "RegisterWallet": "address account,address wallet,uint40 deadline",
    "Swap": "uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline",
    "PoolReturn": "uint64 id,uint16 epoch,uint40 price,uint40 deadline",
    "Exchange": "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline",
    "ExchangePaid": "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference",
    "Freeze": "uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference",
    "Unfreeze": "uint64 id,uint16 epoch,bytes16 reference",
    "Veto": "uint64 id,uint16 epoch,uint40 deadline",
    "Identity": "uint64 id,uint16 epoch,bytes32 commitment,uint40 deadline",
    "Voucher": "uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry",
    "RefundsPaid": "uint40 eventId,uint128 paidBefore,bytes32 lines",
    "Claim": "address account,address token,address to,uint256 nonce,uint40 deadline",
}


SPECIAL_TERMS: dict[str, Any] = {
    "supplies": (1_000, 0, 0, 1_000),
    "earliest_release": 0,
    "holder_limit": 0,
    "entries": 1,
    "cap_at_paid": False,
    "reissue": False,
    "identity": False,
    "gift_root": bytes(32),
}


class LedgerOnChain:
    """One deployed ledger with its admin, relayer, attestor, organizer and gate."""

    def __init__(self, url: str, abi: list[dict[str, Any]], bytecode: bytes | str, desk: bytes | str) -> None:
        self.web3 = Web3(Web3.HTTPProvider(url))
        self.url, self.chain_id = url, self.web3.eth.chain_id
        self.admin, self.relayer, self.attestor = (Account.create() for _ in range(3))
        self.organizer, self.gate, self.venue, self.artist = (Account.create() for _ in range(4))
        self.payments = 0
        first = self.send(self.admin, self.web3.eth.contract(abi=[], bytecode=desk).constructor())
        draft = self.web3.eth.contract(abi=abi, bytecode=bytecode)
        uri, second = "https://tickets.example/", first["contractAddress"]
        receipt = self.send(self.admin, draft.constructor(self.admin.address, uri, second))
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
        fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "gas": 16_000_000}
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

    def create_event(self, *, token: str = NOBODY, cooldown: int = 0, cap_bps: int = 11_000, **special: Any) -> None:
        """An event made by the relayer for the organizer, open for an hour; two payees. `special`: the later terms."""
        now = self.web3.eth.get_block("latest")["timestamp"]
        payees = self.payees()
        exponent = 4 if token != NOBODY else 0
        usual = (b"EUR", cap_bps, 1_000, 2, cooldown, token, exponent, bytes(32), payees)
        closing = now + special.pop("open_for", 3_600)
        times = (closing, closing, closing, now - 1, closing, special.pop("release_at", closing))
        terms = (*usual, *(SPECIAL_TERMS | special).values())
        self.call(self.relayer, "createEvent", self.organizer.address, bytes(32), terms, times)

    def payees(self) -> list[tuple[str, int]]:
        """Who gets the royalties."""
        return [(self.venue.address, 6_667), (self.artist.address, 3_333)]

    def issue(self, supply: int, *, event: int = 1, number: int = 0, supply_class: int = 0, face: int = FACE) -> None:
        """Issue a batch."""
        self.call(self.relayer, "issue", event, number, (supply, 1, supply_class, 1, face), bytes(32))

    def epoch(self, id_: int) -> int:
        """A ticket's epoch now."""
        return int(self.contract.functions.ticketWordOf(id_).call()) >> 168 & 0xFFFF

    def line(self, id_: int, holder: str, price: int, custodied: bool) -> tuple[int, int]:
        """A packed line at the ticket's epoch, under a new reference."""
        target = int(holder, 16) | id_ << 160 | self.epoch(id_) << 224 | custodied << 240
        return target, int.from_bytes(self.reference(), "big") | price << 128

    def reference(self) -> bytes:
        """A payment reference of its own."""
        self.payments += 1
        return self.payments.to_bytes(16, "big")

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

    def offer(self, id_: int, seller: LocalAccount, price: int, *, token: str = NOBODY, buyer: str = NOBODY) -> bytes:
        """The seller's consent to sell to anyone, or to this buyer."""
        message = {"id": id_, "epoch": self.epoch(id_), "price": price, "currency": b"EUR", "token": token}
        return self.sign(seller, "Offer", **message, buyer=buyer, deadline=FAR)

    def settle(
        self,
        id_: int,
        seller: LocalAccount,
        buyer: LocalAccount,
        price: int,
        *,
        custodied: bool = False,
        bound: bool = False,
    ) -> TxReceipt:
        """Resell a ticket for fiat money; `bound`: the seller's offer names the buyer."""
        (target, payment), event = self.line(id_, buyer.address, price, custodied), id_ >> 24
        line = target, payment | FAR << 168 | bound << 208
        consent = self.offer(id_, seller, price, buyer=buyer.address if bound else NOBODY)
        stream, attestation = len(consent).to_bytes(2, "big") + consent, self.attested("Settlements", event, [line])
        return self.call(self.relayer, "settleResales", event, [line], stream, attestation)

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

    def agreed(self, name: str, kind: str, id_: int, holder: LocalAccount, **fields: Any) -> None:
        """Call a function of one ticket, its holder's consent last: `fields` are between its epoch and the deadline."""
        epoch = self.epoch(id_)
        consent = self.sign(holder, kind, id=id_, epoch=epoch, **fields, deadline=FAR)
        self.call(self.relayer, name, id_, epoch, *fields.values(), FAR, consent)

    def swap(self, one: tuple[int, LocalAccount], other: tuple[int, LocalAccount]) -> None:
        """Two holders swap."""
        sides = []
        for (mine, holder), (theirs, _) in ((one, other), (other, one)):
            message = {"id": mine, "epoch": self.epoch(mine), "otherId": theirs, "otherEpoch": self.epoch(theirs)}
            consent = self.sign(holder, "Swap", **message, deadline=FAR)
            sides.append((mine, self.epoch(mine), FAR, consent))
        self.call(self.relayer, "swap", *sides)

    def exchange(self, id_: int, holder: LocalAccount, to: int, difference: int) -> None:
        """Exchange a ticket against one in stock."""
        message = {"id": id_, "epoch": self.epoch(id_), "toId": to, "toEpoch": self.epoch(to)}
        message |= {"difference": difference}
        reference = self.reference()
        consent = self.sign(holder, "Exchange", **message, deadline=FAR)
        attestation = self.sign(self.attestor, "ExchangePaid", **message, reference=reference)
        line = (*message.values(), reference, FAR)
        self.call(self.relayer, "exchange", line, consent, attestation)

    def register(self, account: LocalAccount, wallet: LocalAccount) -> None:
        """A wallet registers itself for a custodied account."""
        consent = self.sign(account, "RegisterWallet", account=account.address, wallet=wallet.address, deadline=FAR)
        self.call(wallet, "registerWallet", account.address, FAR, consent)

    def freeze(self, id_: int, paid_epoch: int, reference: bytes | None = None) -> bytes:
        """Freeze a ticket whose payment is disputed; returns the dispute's reference."""
        reference = reference or self.reference()
        message = {"id": id_, "epoch": self.epoch(id_), "paidEpoch": paid_epoch, "reference": reference}
        attestation = self.sign(self.attestor, "Freeze", **message)
        self.call(self.relayer, "freeze", *message.values(), attestation)
        return reference

    def unfreeze(self, id_: int, reference: bytes) -> None:
        """The dispute is over."""
        message = {"id": id_, "epoch": self.epoch(id_), "reference": reference}
        self.call(self.relayer, "unfreeze", *message.values(), self.sign(self.attestor, "Unfreeze", **message))

    def buy(self, id_: int, buyer: LocalAccount, price: int) -> None:
        """Buy a ticket from stock for tokens, by a voucher."""
        message = {"id": id_, "epoch": self.epoch(id_), "price": price, "reference": self.reference(), "expiry": FAR}
        voucher = self.sign(self.attestor, "Voucher", **message, buyer=buyer.address)
        self.call(buyer, "buy", *message.values(), voucher)

    def refunds_paid(self, before: int, *amounts: int, event: int = 1) -> None:
        """Record refunds that the provider paid."""
        lines = [self.payments + 1 + place | amount << 128 for place, amount in enumerate(amounts)]
        packed = Web3.keccak(b"".join(line.to_bytes(32, "big") for line in lines))
        attestation = self.sign(self.attestor, "RefundsPaid", eventId=event, paidBefore=before, lines=packed)
        self.call(self.relayer, "recordRefundsPaid", event, lines, attestation)

    def sleep(self, seconds: int) -> None:
        """Let time pass on the test chain."""
        for method, argument in (("evm_increaseTime", seconds), ("evm_mine", 1)):
            self.web3.provider.make_request(method, [argument])  # type: ignore[arg-type]

    def release(self, *, event: int = 1) -> None:
        """Split the pot."""
        self.call(self.venue, "release", event, self.payees())
