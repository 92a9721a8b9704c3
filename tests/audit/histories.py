"""Histories of a ledger written by hand: the logs an honest contract would emit, and any lie a test wants to slip in.

A `History` remembers holder and epoch of each ticket only to fill them in; it checks nothing.
"""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ticketchain.audit.model import GATE, NOBODY, RELAYER, Finding, Log, State
from ticketchain.audit.rules import judge

LEDGER = "0x" + "1e" * 20
ORGANIZER = "0x" + "0a" * 20
RELAYING = "0x" + "0b" * 20
GATEKEEPER = "0x" + "0c" * 20
VENUE, ARTIST, PLATFORM = ("0x" + digit * 20 for digit in ("d1", "d2", "d3"))
TOKEN = "0x" + "70" * 20
OPENING, CLOSING = 1_000, 10_000
FACE = 5_000


def person(number: int) -> str:
    """Address of a fan."""
    return f"0x{number + 0xFA0000:040x}"


def terms(**changes: Any) -> dict[str, Any]:
    """Terms on the fiat rail: cap 110 %, royalty 10 %, three payees, two gifts, no cooldown."""
    payees = [{"account": who, "bps": bps} for who, bps in ((VENUE, 5_000), (ARTIST, 3_333), (PLATFORM, 1_667))]
    return {
        "currency": b"EUR",
        "capBps": 11_000,
        "royaltyBps": 1_000,
        "giftLimit": 2,
        "cooldown": 0,
        "token": NOBODY,
        "unitExponent": 0,
        "refundRule": bytes(32),
        "payees": payees,
        "supplies": (1_000, 0, 0, 1_000),
        "earliestRelease": 0,
        "holderLimit": 0,
        "entries": 1,
        "capAtPaid": False,
        "reissue": False,
        "identity": False,
        "giftRoot": bytes(32),
        **changes,
    }


def token_terms(**changes: Any) -> dict[str, Any]:
    """Terms on the token rail: cap at face, 6 decimals of the token against 2 of the currency."""
    return terms(**{"token": TOKEN, "unitExponent": 4, "capBps": 10_000, **changes})


def schedule(**changes: int) -> dict[str, int]:
    """Moves, gifts and resales from `OPENING` to `CLOSING`."""
    return {
        "doorsAt": CLOSING,
        "movesCloseAt": CLOSING,
        "giftsCloseAt": CLOSING - 10,
        "resaleOpensAt": OPENING,
        "resaleClosesAt": CLOSING - 10,
        "releaseAt": CLOSING,
        **changes,
    }


def ticket(index: int, batch: int = 0, event: int = 1) -> int:
    """Id of a ticket."""
    return event << 24 | batch << 16 | index


@dataclass
class History:
    """Logs in the making; `now` is the time of the next block. Each call of a mover is one transaction in one block."""

    logs: list[Log] = field(default_factory=list)
    now: int = OPENING + 100
    transactions: int = 0
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    payments: int = 0
    stops: dict[int, set[str]] = field(default_factory=dict)

    def emit(self, name: str, *, same_tx: bool = False, **args: Any) -> None:
        """Append a log; an argument `giver` is called "from" there."""
        if "giver" in args:
            args["from"] = args.pop("giver")
        self.transactions += not same_tx
        number = self.transactions
        self.logs.append(Log(name, args, 100 + number, self.now, f"0x{number:064x}", len(self.logs)))

    def findings(self) -> list[Finding]:
        """What the auditor says about it."""
        return self.audit()[1]

    def audit(self) -> tuple[State, list[Finding]]:
        """Final state and findings."""
        state, findings = State(LEDGER), list[Finding]()
        for _, logs in groupby(self.logs, key=lambda log: log.tx):
            findings += judge(state, logs)
        return state, findings

    # ------------------------------------------------------------------------------------------ events

    def create_event(
        self,
        event: int = 1,
        terms_: dict[str, Any] | None = None,
        schedule_: dict[str, int] | None = None,
        *,
        delegated: bool = False,
    ) -> None:
        """An event with an organizer and one gate."""
        self.emit(
            "EventCreated",
            eventId=event,
            organizer=ORGANIZER,
            ref=bytes(32),
            terms=terms_ or terms(),
            schedule=schedule_ or schedule(),
        )
        self.emit("RolesSet", same_tx=True, eventId=event, account=ORGANIZER, roles=8)
        if delegated:
            self.emit("DelegationChanged", same_tx=True, eventId=event, delegated=True)
        self.emit("RolesSet", eventId=event, account=GATEKEEPER, roles=GATE)

    def relayer(self) -> None:
        """Appoint the relayer."""
        self.emit("RolesSet", eventId=0, account=RELAYING, roles=RELAYER)

    def allow_token(self) -> None:
        """Allow the settlement token."""
        self.emit("TokenAllowed", token=TOKEN, allowed=True)

    def issue(
        self, supply: int = 10, *, event: int = 1, number: int = 0, face: int = FACE, supply_class: int = 0
    ) -> None:
        """Issue a batch."""
        batch = {"supply": supply, "priceClass": 1, "supplyClass": supply_class, "section": 1, "face": face}
        self.emit("BatchIssued", eventId=event, number=number, batch=batch, manifest=bytes(32))

    # ------------------------------------------------------------------------------------------ tickets

    def deliver(self, id_: int, holder: str, *, price: int = FACE, event: int = 1, **lies: Any) -> None:
        """Sell from stock; `lies`: epoch, reference, custodied."""
        line = self.line(id_, holder, price, **lies)
        self.move_face(id_, holder, lies.get("custodied", False))
        self.emit("Delivered", same_tx=True, eventId=event, lines=[line])
        self.record(id_, holder, price)

    def settle(self, id_: int, holder: str, *, price: int = FACE, event: int = 1, **lies: Any) -> None:
        """Resell for fiat money."""
        line = self.line(id_, holder, price, **lies)
        self.move_face(id_, holder, lies.get("custodied", False))
        self.emit("Settled", same_tx=True, eventId=event, lines=[line])
        self.record(id_, holder, price)

    def resell(self, id_: int, buyer: str, *, price: int = FACE, royalty: int | None = None, **lies: Any) -> None:
        """Resell for tokens; the royalty is 10 % of face unless told."""
        seller, epoch = self.known(id_)
        self.move_face(id_, buyer, custodied=False)
        args = {"seller": seller, "buyer": buyer, "epoch": epoch + 1, "price": price}
        args["royalty"] = FACE // 10 if royalty is None else royalty
        self.emit("Resold", same_tx=True, id=id_, **{**args, **lies})
        self.record(id_, buyer, price)

    def give(self, id_: int, to: str, *, custodied: bool = False, **lies: Any) -> None:
        """Give away; `lies` are any arguments of the log."""
        holder, epoch = self.known(id_)
        self.move_face(id_, to, custodied)
        args = {"giver": holder, "to": to, "custodied": custodied, "epoch": epoch + 1}
        self.emit("Given", same_tx=True, id=id_, **{**args, **lies})
        self.record(id_, to, self.tickets[id_]["price"] if id_ in self.tickets else 0)

    def redeem(self, *ids: int, gate: str = GATEKEEPER, event: int = 1, epoch: int | None = None) -> None:
        """Use tickets at a gate."""
        lines = [(id_ & 0xFFFFFF) << 16 | (self.known(id_)[1] if epoch is None else epoch) for id_ in ids]
        self.emit("Redeemed", eventId=event, gate=gate, lines=lines)

    def refund(self, id_: int, amount: int = FACE, **lies: Any) -> None:
        """Return to stock."""
        self.end("Refunded", id_, {"amount": amount, "ref": bytes(16), **lies})

    def void(self, id_: int, **lies: Any) -> None:
        """Kill a ticket."""
        self.end("Voided", id_, {"ref": bytes(16), **lies})

    def house(self, name: str, id_: int, to: str, *, counted: bool = False, **lies: Any) -> None:
        """`Withdrawn` or `Deposited`."""
        holder, epoch = self.known(id_)
        self.move_face(id_, to, custodied=name == "Deposited")
        args = {"giver": holder, "to": to, "counted": counted, "epoch": epoch + 1}
        self.emit(name, same_tx=True, id=id_, **{**args, **lies})
        self.record(id_, to, self.tickets[id_]["price"])

    def swap(self, id_: int, other: int, **lies: Any) -> None:
        """Two holders change places."""
        (holder, epoch), (other_holder, other_epoch) = self.known(id_), self.known(other)
        custody = {held: self.tickets[held]["owner"] == LEDGER for held in (id_, other)}
        self.move_face(id_, other_holder, custody[other])
        self.move_face(other, holder, custody[id_], same_tx=True)
        args = {"holder": other_holder, "otherHolder": holder, "epoch": epoch + 1, "otherEpoch": other_epoch + 1}
        self.emit("Swapped", same_tx=True, id=id_, otherId=other, **{**args, **lies})
        for held, now in ((id_, other_holder), (other, holder)):
            self.record(held, now, self.tickets[held]["price"])

    def exchange(self, id_: int, to_id: int, difference: int = 0, **lies: Any) -> None:
        """One ticket back to stock, another one out of it."""
        (holder, epoch), (_, to_epoch) = self.known(id_), self.known(to_id)
        price = self.tickets[id_]["price"] + difference
        custodied = self.tickets[id_]["owner"] == LEDGER
        self.move_face(id_, NOBODY, custodied=False)
        self.move_face(to_id, holder, custodied, same_tx=True)
        args = {"holder": holder, "epoch": epoch + 1, "toEpoch": to_epoch + 1, "price": price}
        args |= {"difference": difference, "ref": bytes(16)}
        self.emit("Exchanged", same_tx=True, id=id_, toId=to_id, **{**args, **lies})
        self.record(id_, NOBODY, 0)
        self.record(to_id, holder, price)

    def pool(self, id_: int, price: int = FACE, **lies: Any) -> None:
        """Return a ticket to the pool."""
        seller, epoch = self.known(id_)
        self.move_face(id_, NOBODY, custodied=False)
        args = {"seller": seller, "epoch": epoch + 1, "price": price}
        self.emit("PoolReturned", same_tx=True, id=id_, **{**args, **lies})
        self.record(id_, NOBODY, price)

    def sell_pooled(self, id_: int, seller: str, buyer: str, *, price: int = FACE, **lies: Any) -> None:
        """Deliver a ticket from the pool; `lies` are about what is due to the seller."""
        self.emit("PoolSold", id=id_, **{"seller": seller, "price": FACE, "royalty": FACE // 10, **lies})
        line = self.line(id_, buyer, price)
        self.move_face(id_, buyer, custodied=False, same_tx=True)
        self.emit("Delivered", same_tx=True, eventId=id_ >> 24, lines=[line])
        self.record(id_, buyer, price)

    def buy(self, id_: int, buyer: str, *, price: int = FACE, **lies: Any) -> None:
        """Sell from stock for tokens."""
        epoch = self.known(id_)[1]
        self.move_face(id_, buyer, custodied=False)
        args = {"buyer": buyer, "epoch": epoch + 1, "price": price, "ref": bytes(16)}
        self.emit("Bought", same_tx=True, id=id_, **{**args, **lies})
        self.record(id_, buyer, price)

    def mark(self, name: str, id_: int, **lies: Any) -> None:
        """`Activated`, `Frozen` or `Unfrozen`, with the log of ERC-5192 if that changes the lock."""
        holder, epoch = self.known(id_)
        args = {"holder": holder, "epoch": epoch} | ({} if name == "Activated" else {"ref": bytes(16)})
        stops = self.stops.setdefault(id_, set())
        before = bool(stops)
        self.emit(name, id=id_, **{**args, **lies})
        (stops.discard if name == "Unfrozen" else stops.add)("Activated" if name == "Activated" else "Frozen")
        if before != bool(stops):
            self.emit("Locked" if stops else "Unlocked", same_tx=True, tokenId=id_)

    def announce(self, id_: int, to: str, *, custodied: bool = False, **lies: Any) -> None:
        """Announce a reissue."""
        holder, epoch = self.known(id_)
        args = {"holder": holder, "to": to, "custodied": custodied, "epoch": epoch, "readyAt": self.now + 48 * 3_600}
        self.emit("ReissueAnnounced", id=id_, **{**args, **lies})

    def reissue(self, id_: int, to: str, *, custodied: bool = False, **lies: Any) -> None:
        """Carry a reissue out."""
        holder, epoch = self.known(id_)
        self.move_face(id_, to, custodied)
        args = {"giver": holder, "to": to, "custodied": custodied, "epoch": epoch + 1}
        self.emit("Reissued", same_tx=True, id=id_, **{**args, **lies})
        self.record(id_, to, self.tickets[id_]["price"])

    def status(self, status: int, reason: str = "weather", *, event: int = 1) -> None:
        """Pause (2), resume (1) or cancel (3)."""
        self.emit("StatusChanged", eventId=event, status=status, reason=reason)

    def refund_cancelled(self, id_: int, amount: int = FACE, **lies: Any) -> None:
        """What a cancelled event owes for a ticket, which goes back to stock."""
        self.end("RefundedCancelled", id_, {"amount": amount, **lies})

    def revoke(self, id_: int, **lies: Any) -> None:
        """Bump the epoch."""
        holder, epoch = self.known(id_)
        self.emit("Revoked", id=id_, **{"holder": holder, "epoch": epoch + 1, **lies})
        self.tickets[id_]["epoch"] = epoch + 1

    def release(self, *parts: tuple[str, int], event: int = 1) -> None:
        """Pay a pot out."""
        self.transactions += 1
        for payee, amount in parts:
            self.emit("Released", same_tx=True, eventId=event, payee=payee, amount=amount)

    # ------------------------------------------------------------------------------------------ the small print

    def known(self, id_: int) -> tuple[str, int]:
        """Holder and epoch."""
        told = self.tickets.get(id_, {"holder": NOBODY, "epoch": 0})
        return told["holder"], told["epoch"]

    def record(self, id_: int, holder: str, price: int) -> None:
        """Remember the new holder and the next epoch."""
        epoch = self.known(id_)[1] + 1
        owner = self.tickets[id_]["owner"] if id_ in self.tickets else NOBODY
        self.tickets[id_] = {"holder": holder, "epoch": epoch, "price": price, "owner": owner}

    def line(self, id_: int, holder: str, price: int, **lies: Any) -> dict[str, int]:
        """A packed line of a delivery or a settlement, under a reference of its own."""
        self.payments += 1
        epoch = lies.get("epoch", self.known(id_)[1])
        reference = lies.get("reference", self.payments)
        target = int(holder, 16) | id_ << 160 | epoch << 224 | lies.get("custodied", False) << 240
        return {"target": target, "payment": reference | price << 128}

    def move_face(self, id_: int, holder: str, custodied: bool, *, same_tx: bool = False) -> None:
        """The ERC-721 Transfer of a move, in a new transaction unless told otherwise."""
        owner = self.tickets.get(id_, {"owner": NOBODY})["owner"]
        to = LEDGER if custodied else holder
        self.transactions += not same_tx
        if owner != to:
            self.transfer(id_, owner, to, same_tx=True)
        self.tickets.setdefault(id_, {"holder": NOBODY, "epoch": 0, "price": 0})["owner"] = to

    def transfer(self, id_: int, giver: str, to: str, *, same_tx: bool = False) -> None:
        """A Transfer log."""
        self.emit("Transfer", same_tx=same_tx, tokenId=id_, giver=giver, to=to)

    def end(self, name: str, id_: int, args: dict[str, Any]) -> None:
        """A move that leaves the ticket without a holder."""
        holder, epoch = self.known(id_)
        self.move_face(id_, NOBODY, custodied=False)
        self.emit(name, same_tx=True, id=id_, **{"holder": holder, "epoch": epoch + 1, **args})
        self.record(id_, NOBODY, 0)


def opened(**changes: Any) -> History:
    """An event on the fiat rail with a batch of ten, of which tickets 0 to 2 are sold to persons 0 to 2."""
    history = History()
    history.create_event(terms_=terms(**changes))
    history.issue()
    for index in range(3):
        history.deliver(ticket(index), person(index))
    return history


def opened_on_tokens(**changes: Any) -> History:
    """As `opened` on the token rail; the tickets were delivered free of charge."""
    history = History()
    history.allow_token()
    history.create_event(terms_=token_terms(**changes))
    history.issue()
    for index in range(3):
        history.deliver(ticket(index), person(index), price=0)
    return history
