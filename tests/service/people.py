"""The people of a small event, acting on the use cases directly; the work behind them is driven step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ticketchain.context import Context, now
from ticketchain.demo.passkey import SoftPasskey
from ticketchain.domain.errors import ConsentRequired
from ticketchain.domain.policy import Payee, PriceClass, Supplies, Terms, schedule_of
from ticketchain.domain.ports import Faults
from ticketchain.domain.proofs import PasskeyProof, Registration
from ticketchain.domain.refunds import RefundRule, Step
from ticketchain.gate import Lease, build_code, device_key_of, sign_step, step_at
from ticketchain.store import orders, outbox
from ticketchain.store.engine import Tx
from ticketchain.usecases import (
    accounts,
    buy,
    charges,
    events,
    exchange,
    gate,
    hold,
    issue,
    pass_on,
    passkeys,
    pay,
    refund,
    tickets,
)
from ticketchain.usecases.common import Principal, Request
from ticketchain.usecases.consenting import Given, from_text
from ticketchain.worker import steps

FACE = 5_000


def idle(context: Context, seconds: float = 60) -> None:
    """Repeats every loop, in one thread, until none finds work and nothing is on its way to the chain.

    Webhooks do not go over HTTP here: `Fan.pay` applies them.
    """
    end = time.monotonic() + seconds
    while work(context) or under_way(context):
        assert time.monotonic() < end, "the work does not end"


def work(context: Context, rounds: int = 1) -> bool:
    """Repeats every loop so often, though something may wait; True if the last round found work."""
    every = [step for name, loop in steps(context).items() if name != "webhooks" for step in loop]
    return [any([step() for step in every]) for _ in range(rounds)][-1]


def stop_at(context: Context, crash: type[BaseException]) -> bool:
    """Works until idle or until the crash; True if it came to the crash."""
    try:
        idle(context)
    except crash:
        return True
    return False


def under_way(context: Context) -> bool:
    """Whether anything waits for the chain."""
    with context.parts.store.read() as tx:
        counts = outbox.counts(tx)
    return bool(counts.get("pending", 0) + counts.get("sent", 0))


def settle_finally(context: Context) -> None:
    """Brings everything to a final block and does what waited for it."""
    idle(context)
    assert context.embedded is not None
    context.embedded.snapshot()
    idle(context)


def request(who: Principal, key: str | None = None, *asked: Any) -> Request:
    """A creating request."""
    return Request.of(who, key, *asked)


@dataclass
class Event:
    """An event with one price class of 200 seats, open on the ledger."""

    context: Context
    organizer: Principal
    id: str

    @classmethod
    def open(cls, context: Context, rows: int = 10, gift_limit: int = 1, **special: Any) -> Event:
        """An organizer creates an event and issues `rows` rows of 20 seats; `special`: any of the later
        terms, `classes` with their face prices, `fees` or a `tax`.
        """
        opened = cls.announce(context, gift_limit, **special)
        settle_finally(context)
        opened.issue(rows)
        return opened

    @classmethod
    def announce(cls, context: Context, gift_limit: int = 1, doors: datetime | None = None, **special: Any) -> Event:
        """An organizer creates an event; the ledger does not have it yet."""
        parts = context.parts
        made = accounts.create_organizer(parts, request(Principal("test", "operator")), "The house")
        organizer = accounts.authenticate(parts, made["api_key"])
        schedule = schedule_of(doors or now() + timedelta(days=3), None, None, now() - timedelta(days=1), None)
        supplies = special.pop("supplies", Supplies(public=60_000))
        fees, tax = special.pop("fees", ()), special.pop("tax", None)
        classes = [PriceClass(code, code, face) for code, face in special.pop("classes", {"A": FACE}).items()]
        terms = Terms("EUR", 11_000, 500, gift_limit, 0, RefundRule((Step(3_600, 1_000),)), supplies, **special)
        payees = [Payee("artist", 6_000), Payee("house", 4_000)]
        new = events.NewEvent("A night", "Hall", "Europe/Berlin", terms, schedule, classes, payees, fees, tax)
        return cls(context, organizer, events.create_event(parts, request(organizer), new)["id"])

    def issue(
        self, rows: int, section: str = "Stalls", key: str | None = None, finish: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Issues rows of 20 seats; `finish` brings them to a final block, if the chain is not the embedded one."""
        lines = [f"{section},{row},{seat},A" for row in range(1, rows + 1) for seat in range(1, 21)]
        data = "\n".join(["section,row,seat,price_class", *lines]).encode()
        view = issue.issue_manifest(self.context.parts, request(self.organizer, key, section), self.id, data, "csv")
        (finish or partial(settle_finally, self.context))()
        return view

    def close(self) -> None:
        """Closes all moves for good, finally."""
        events.close_moves(self.context.parts, request(self.organizer), self.id, "the doors open")
        settle_finally(self.context)

    def scan(self, code: str, nonce: str, at: str = "north") -> dict[str, Any]:
        """A steward scans a code."""
        return gate.scan(self.context.parts, self.organizer, gate.Scan(self.id, code, at, nonce))


class Fan:
    """Somebody with an account and a passkey, that consents to whatever they ask for."""

    def __init__(self, context: Context) -> None:
        self.context, self.parts = context, context.parts
        made = accounts.sign_up(self.parts)
        self.id, self.address = made["id"], made["address"]
        self.who = accounts.authenticate(self.parts, made["api_key"])
        self.phone = Ed25519PrivateKey.generate()
        self.passkey = self.enrol()

    def enrol(self) -> SoftPasskey:
        """A new passkey of theirs."""
        passkey = SoftPasskey.at(self.context.settings.url, self.parts.rp_id)
        made = passkey.register(passkeys.passkey_options(self.parts, self.who)["challenge"])
        told = (from_text(made[name]) for name in ("id", "client_data_json", "attestation_object"))
        passkeys.add_passkey(self.parts, request(self.who), Registration(*told), "phone")
        return passkey

    def agree(self, work: Callable[[Given | None], dict[str, Any]]) -> dict[str, Any]:
        """Does what needs consent, and consents."""
        try:
            return work(None)
        except ConsentRequired as asked:
            wanted = asked.extra["consent"]
        return work(Given(wanted["deadline"], self.proof(wanted["passkey"]["challenge"])))

    def proof(self, challenge: str) -> PasskeyProof:
        """The passkey's yes to a challenge."""
        signed = self.passkey.sign(challenge)
        told = (from_text(signed[name]) for name in ("id", "client_data_json", "authenticator_data", "signature"))
        return PasskeyProof(*told)

    def order(self, event: Event, quantity: int = 1, voucher: str | None = None) -> dict[str, Any]:
        """Holds and orders the best seats; the charge is open when this returns."""
        held = hold.hold_best(self.parts, request(self.who), event.id, "A", quantity)
        return self.ready(buy.order_hold(self.parts, request(self.who), held["id"], voucher))

    def order_listing(self, listing_id: str) -> dict[str, Any]:
        """Orders a listed ticket."""
        return self.ready(buy.order_listing(self.parts, request(self.who), listing_id))

    def ready(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order once its payment page is there."""
        charges.open_charges(self.parts)
        return self.look(order)

    def pay(self, order: dict[str, Any], faults: Faults | None = None) -> None:
        """Pays on the provider's page; its webhook arrives."""
        assert self.context.sandbox is not None
        charge = order["payment"]["url"].rsplit("/", 1)[1]
        self.context.sandbox.pay(charge, faults or Faults())
        self.webhook(charge)

    def webhook(self, charge: str) -> None:
        """What the provider knows of a charge is applied, as after a webhook."""
        now = self.parts.online.charge(charge)

        def work(tx: Tx) -> None:
            (payment,) = orders.payments_of_charges(tx, "sandbox", [charge])
            pay.apply_charges(self.parts, tx, [(payment, now)])

        self.parts.store.retry(work)

    def buy(self, event: Event, quantity: int = 1) -> list[int]:
        """Orders, pays and gets tickets; returns their ids."""
        order = self.order(event, quantity)
        self.pay(order)
        idle(self.context)
        assert self.look(order)["state"] == "delivered"
        return [int(line["ticket"]) for line in order["lines"]]

    def look(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order as it is now."""
        return buy.view_order(self.parts, self.who, order["id"])

    def tickets(self) -> list[int]:
        """Ids of the tickets held."""
        return [int(t["id"]) for t in tickets.my_tickets(self.parts, self.who, 0, 200)["items"]]

    def give(self, ticket: int, to: Fan) -> dict[str, Any]:
        """Gives a ticket away."""
        return self.agree(partial(pass_on.give, self.parts, request(self.who), ticket, to.id))

    def list(self, ticket: int, price: int) -> dict[str, Any]:
        """Lists a ticket."""
        return self.agree(partial(pass_on.list_ticket, self.parts, request(self.who), ticket, price, "EUR"))

    def delist(self, listing_id: str) -> dict[str, Any]:
        """Takes a listing back."""
        return self.agree(partial(pass_on.delist, self.parts, request(self.who), listing_id))

    def hand_back(self, ticket: int) -> dict[str, Any]:
        """Returns a ticket for money."""
        return self.agree(partial(refund.return_ticket, self.parts, request(self.who), ticket))

    def exchange(self, ticket: int, wanted: exchange.WantedSeat) -> dict[str, Any]:
        """Exchanges a ticket."""
        return self.agree(partial(exchange.exchange_ticket, self.parts, request(self.who), ticket, wanted))

    def lease(self, ticket: int) -> dict[str, Any]:
        """Binds a ticket to this fan's phone."""
        version, key = device_key_of(self.phone.public_key())
        return gate.lease_entry(self.parts, self.who, ticket, gate.DeviceKey(version, key))

    def code(self, lease: dict[str, Any], at: float | None = None) -> str:
        """What the phone shows at a time (Unix seconds; default now)."""
        packed, signature = bytes.fromhex(lease["lease"]), bytes.fromhex(lease["signature"])
        step = step_at(int(time.time() if at is None else at))
        return build_code(Lease.unpack(packed), signature, step, sign_step(self.phone, packed, signature, step))
