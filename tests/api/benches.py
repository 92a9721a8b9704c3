"""Every payment provider on a bench of its own: the same handles, so that the same tests ask all of them the same."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from tests.api.people import Shop
from tests.support.stripe_peer import KEY, StripePeer
from ticketchain.domain.errors import Unavailable
from ticketchain.domain.orders import Method
from ticketchain.domain.ports import Faults
from ticketchain.payments.desk import Desk
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.payments.stripe import StripeKeys, StripeProvider
from ticketchain.store import desk as receipts
from ticketchain.store import schema as t
from ticketchain.usecases import accounts
from ticketchain.usecases.parts import PaymentProvider

SECRETS = ("whsec_new", "whsec_old")
_numbers = itertools.count(1)


@dataclass
class Bench(ABC):
    """A provider, and somebody who pays at its other side."""

    provider: PaymentProvider
    now: Callable[[], datetime]
    header: str = ""

    def payment(self, amount: int = 4_500, currency: str = "EUR") -> str:
        """The id of a new payment."""
        return f"pay_{next(_numbers):032x}"

    @abstractmethod
    def pay(self, ref: str, amount: int = 4_500, currency: str = "EUR") -> None:
        """Somebody pays a charge."""

    def sign(self, body: bytes, secret: str = SECRETS[0], at: datetime | None = None) -> dict[str, str]:
        """The documented signature of both: HMAC-SHA256 over time and body."""
        stamp = str(int((at or self.now()).timestamp()))
        mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {self.header: f"t={stamp},v1={mac}"}


@dataclass
class OnlineBench(Bench):
    """A provider over the net: there are banks behind it, lines that break, and webhooks."""

    @abstractmethod
    def decline(self, ref: str) -> None:
        """Somebody's bank says no."""

    @abstractmethod
    def dispute(self, ref: str) -> None:
        """The bank takes it back."""

    @abstractmethod
    def decide(self, ref: str, won: bool) -> None:
        """The bank decides."""

    @abstractmethod
    def fail(self, when: str | None) -> None:
        """Each call from now on fails `before` or `after` it takes effect; None: none does."""

    @abstractmethod
    def message(self, ref: str) -> bytes:
        """What a webhook about a charge says."""


@dataclass
class Flaky:
    """The sandbox's side, out of reach on demand."""

    sandbox: Sandbox
    when: str | None = None

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if self.when == "before":
                raise Unavailable("the sandbox does not answer")
            answer = getattr(self.sandbox, name)(*arguments)
            if self.when == "after":
                raise Unavailable("the sandbox's answer was lost")
            return answer

        return call


@dataclass
class SandboxBench(OnlineBench):
    """The built-in sandbox."""

    flaky: Flaky = field(kw_only=True)
    header: str = "Webhook-Signature"

    @classmethod
    def of(cls, shop: Shop) -> SandboxBench:
        flaky = Flaky(shop.sandbox)
        return cls(SandboxProvider(flaky, SECRETS, shop.clock), shop.clock, flaky=flaky)

    def pay(self, ref: str, amount: int = 4_500, currency: str = "EUR") -> None:
        self.flaky.sandbox.pay(ref)

    def decline(self, ref: str) -> None:
        self.flaky.sandbox.pay(ref, Faults(decline=True))

    def dispute(self, ref: str) -> None:
        self.flaky.sandbox.dispute(ref)

    def decide(self, ref: str, won: bool) -> None:
        self.flaky.sandbox.decide(ref, won)

    def fail(self, when: str | None) -> None:
        self.flaky.when = when

    def message(self, ref: str) -> bytes:
        return json.dumps({"id": f"whe_{next(_numbers)}", "type": "charge.captured", "charge": ref}).encode()


@dataclass
class StripeBench(OnlineBench):
    """Stripe, as localstripe plays it."""

    peer: StripePeer = field(kw_only=True)
    header: str = "Stripe-Signature"

    @classmethod
    def of(cls, peer: StripePeer, secrets: tuple[str, ...] = SECRETS) -> StripeBench:
        keys = StripeKeys(KEY, "pk_test_12345", secrets, peer.url)
        return cls(StripeProvider(keys, "http://testserver"), lambda: datetime.now(UTC), peer=peer)

    def pay(self, ref: str, amount: int = 4_500, currency: str = "EUR") -> None:
        self.peer.pay(ref)

    def decline(self, ref: str) -> None:
        self.peer.pay(ref, "pm_card_chargeCustomerFail")

    def dispute(self, ref: str) -> None:
        charge = self.peer.charge_of(ref)
        self.peer.shapes.dispute(charge, charge["amount"])

    def decide(self, ref: str, won: bool) -> None:
        charge = self.peer.charge_of(ref)["id"]
        (dispute,) = [row["id"] for row in self.peer.shapes.disputes.values() if row["charge"] == charge]
        self.peer.shapes.decide(dispute, "won" if won else "lost")

    def fail(self, when: str | None) -> None:
        self.peer.fails = lambda method, path: when

    def message(self, ref: str) -> bytes:
        about = {"object": "payment_intent", "id": ref}
        return event_of("payment_intent.succeeded", about)


def event_of(kind: str, about: dict[str, Any]) -> bytes:
    """An event as Stripe sends it, as far as it is read."""
    return json.dumps({"id": f"evt_{next(_numbers)}", "type": kind, "data": {"object": about}}).encode()


@dataclass
class DeskBench(Bench):
    """The box office; its payments belong to orders, as its tables want."""

    shop: Shop = field(kw_only=True)
    key_id: str = field(kw_only=True)
    event: str = field(kw_only=True)

    @classmethod
    def of(cls, shop: Shop) -> DeskBench:
        organizer = shop.organizer()
        event = shop.event(organizer)
        shop.issue(organizer, event, seats=50)
        key = accounts.authenticate(shop.parts, organizer.api_key).key_id
        return cls(Desk(shop.parts.store, shop.clock), shop.clock, shop=shop, key_id=key, event=event)

    def payment(self, amount: int = 4_500, currency: str = "EUR") -> str:
        fan = self.shop.fan()
        wanted = {"price_class": "A", "quantity": 1}
        hold = fan.post(f"/v1/events/{self.event}/holds", json=wanted).json()
        order = fan.post("/v1/orders", json={"hold_id": hold["id"]}).json()
        values = {"provider": "desk", "method": Method.CASH, "amount": amount, "currency": currency}
        with self.shop.parts.store.begin() as tx:
            tx.execute(update(t.payments).where(t.payments.c.order_id == order["id"]).values(values))
            return str(tx.execute(t.payments.select().where(t.payments.c.order_id == order["id"])).one().id)

    def pay(self, ref: str, amount: int = 4_500, currency: str = "EUR") -> None:
        row = {"id": f"rct_{next(_numbers)}", "payment_id": ref, "method": Method.CASH, "amount": amount}
        row |= {"currency": currency, "reference": "", "key_id": self.key_id, "taken_at": self.now()}
        with self.shop.parts.store.begin() as tx:
            receipts.add_receipt(tx, row)
