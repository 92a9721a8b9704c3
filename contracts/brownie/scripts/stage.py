"""A deployed ledger with one event on sale, and people who act on it. `main` is what the console opens with."""

from brownie import Contract, TicketDesk, TicketLedger, TicketOffice, accounts, chain, web3
from eth_account import Account
from eth_utils import keccak

ADMIN, RELAYER, ATTESTOR, GATE = 1, 2, 4, 16
EVENT = 1
SEATS = 6
FACE, CAP = 10_000, 11_000  # minor units
UNLIMITED = 7
NEVER = 2**40 - 1
DAY = 24 * 3600
REF = bytes(range(16))  # the service's own id of a payment

PARTS = (TicketLedger, TicketDesk, TicketOffice)
CONSENTS = {
    "Gift": "uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline",
    "Offer": "uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline",
    "Deliveries": "uint40 eventId,bytes32 lines",
    "Settlements": "uint40 eventId,bytes32 lines",
}
"""What people sign (EIP-712), as in `ITicketMoves`."""


class Stage:
    """The ledger, its event of six seats at 100.00 EUR, and everyone's keys."""

    def __init__(self):
        self.admin, self.relayer, self.organizer, self.gate = accounts[:4]
        self.attestor = Account.from_key(keccak(text="attestor"))
        self.fans = [Account.from_key(keccak(text=name)) for name in ("alice", "bob", "carol")]
        self.ledger = self._deploy()
        self._appoint()
        self._put_on_sale()

    def _deploy(self):
        desk = TicketDesk.deploy({"from": self.admin})
        home = TicketLedger.deploy(self.admin, "https://tickets.example/", desk, {"from": self.admin})
        pieces = {repr(piece): piece for part in PARTS for piece in part.abi if piece["type"] != "constructor"}
        return Contract.from_abi("ITicketLedger", home.address, list(pieces.values()))

    def _appoint(self):
        self.ledger.setRoles(0, self.relayer, RELAYER, {"from": self.admin})
        self.ledger.setRoles(0, self.attestor.address, ATTESTOR, {"from": self.admin})

    def _put_on_sale(self):
        end = chain.time() + 30 * DAY
        money = ("0x455552", CAP, 500, UNLIMITED, 0, "0x" + "00" * 20, 0, "0x" + "00" * 32)  # EUR, no cool-down
        rest = ([(self.organizer, 10_000)], [SEATS, 0, 0, 0], 0, 0, 1, False, False, False, "0x" + "00" * 32)
        schedule = (end, end, end, 0, end, end)
        self.ledger.createEvent(self.organizer, "0x01", money + rest, schedule, {"from": self.organizer})
        self.ledger.issue(EVENT, 0, (SEATS, 1, 0, 7, FACE), "0x02", {"from": self.organizer})
        self.ledger.setRoles(EVENT, self.gate, GATE, {"from": self.organizer})

    # ---------------------------------------------------------------------------------------------- signing

    def sign(self, key, name, *values):
        """A signature over the consent of this name, its fields in order."""
        fields = [field.split(" ") for field in CONSENTS[name].split(",")]
        types = {name: [{"name": field, "type": kind} for kind, field in fields]}
        message = dict(zip([field for _, field in fields], values, strict=True))
        domain = {
            "name": "ticketchain",
            "version": "1",
            "chainId": web3.eth.chain_id,
            "verifyingContract": self.ledger.address,
        }
        return bytes(key.sign_typed_data(domain, types, message).signature)

    def _attest(self, name, line):
        packed = b"".join(word.to_bytes(32, "big") for word in line)
        return self.sign(self.attestor, name, EVENT, keccak(packed))

    # ---------------------------------------------------------------------------------------------- moving

    @staticmethod
    def seat(index):
        """Id of a seat: event 40 bits | batch 8 bits | index 16 bits."""
        return EVENT << 24 | index

    def deliver(self, index, epoch, buyer, custodied):
        """A seat from stock, paid at face."""
        line = (_target(buyer, self.seat(index), epoch, custodied), _payment(FACE))
        return self.ledger.deliver(EVENT, [line], self._attest("Deliveries", line), {"from": self.relayer})

    def gift(self, index, epoch, signer, to, custodied):
        """A gift to `to`, with the consent of `signer`."""
        terms = (self.seat(index), epoch, to.address, custodied, NEVER)
        return self.ledger.gift(*terms, self.sign(signer, "Gift", *terms), {"from": self.relayer})

    def resell(self, index, epoch, signer, buyer, custodied, price):
        """A resale for fiat money on the open offer of `signer`."""
        zero = "0x" + "00" * 20
        offer = (self.seat(index), epoch, price, b"EUR", zero, zero, NEVER)
        consent = self.sign(signer, "Offer", *offer)
        line = (_target(buyer, self.seat(index), epoch, custodied), _payment(price) | NEVER << 168)
        consents = len(consent).to_bytes(2, "big") + consent
        attestation = self._attest("Settlements", line)
        return self.ledger.settleResales(EVENT, [line], consents, attestation, {"from": self.relayer})

    def redeem(self, index, epoch):
        """A seat used at the gate."""
        return self.ledger.redeem(EVENT, [index << 16 | epoch], {"from": self.gate})

    def problem(self, transaction):
        """Why the only line of a bulk call was skipped: the error's name, or None."""
        if "Skipped" not in transaction.events:
            return None
        selector = bytes(transaction.events["Skipped"]["problem"])[:4]
        errors = [piece for piece in self.ledger.abi if piece["type"] == "error"]
        return next(piece["name"] for piece in errors if _selector(piece) == selector)


def _target(holder, ticket, epoch, custodied):
    return int(holder.address, 16) | ticket << 160 | epoch << 224 | custodied << 240


def _payment(price):
    return int.from_bytes(REF, "big") | price << 128


def _selector(error):
    kinds = ",".join(field["type"] for field in error["inputs"])
    return keccak(text=f"{error['name']}({kinds})")[:4]


def build():
    """A fresh stage, for tests."""
    return Stage()


def main():
    """Deploy, sell seat 0 to alice, and leave `stage`, `ledger`, `alice` and `seat` to the console."""
    stage = Stage()
    ledger, alice, seat = stage.ledger, stage.fans[0], stage.seat(0)
    stage.deliver(0, 0, alice, True)
    print(f"{ledger.name()} at {ledger.address}: seat 0 is ticket {seat}, held by alice")
    print("Here are stage, ledger, alice and seat; try ledger.ticketOf(seat).")
    return ledger, alice, seat
