"""Stripe: one PaymentIntent for each payment, with the official SDK; our client of it behind the use cases' port.

A payment's id is the idempotency key and stands in the intent's metadata. The charge that succeeded is the capture; a
refund carries our key in its metadata as well, because Stripe forgets idempotency keys after a day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import stripe

from ticketchain.domain.errors import Conflict, Forbidden, Invalid, KeyReused, NotFound, Unavailable
from ticketchain.domain.orders import Capture, Dispute, DisputeState
from ticketchain.domain.ports import Charge, ChargeNow, Checkout, PaidCharge, StatementLine, Taken, Webhook
from ticketchain.payments.stripe_money import from_stripe, to_stripe
from ticketchain.payments.stripe_statement import CATEGORIES, statement_line

TIMEOUT_S = 20
HEADER = "stripe-signature"
_DISPUTES = {
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
"""Stripe's other states are inquiries, where no money was taken."""


@dataclass(frozen=True)
class StripeKeys:
    """An account at Stripe: secret and publishable key, the secrets of its webhooks; `api_base` for another peer."""

    secret: str = field(repr=False)
    publishable: str
    webhook_secrets: Sequence[str] = field(repr=False)
    api_base: str = ""


class StripeProvider:
    """Our client of Stripe; implements the use cases' `PaymentProvider` port. `url`: where people reach the service."""

    def __init__(self, keys: StripeKeys, url: str, tolerance: timedelta = timedelta(minutes=5)) -> None:
        self._keys = keys
        self._url = url.rstrip("/")
        self._tolerance = tolerance
        client = stripe.StripeClient(
            keys.secret,
            base_addresses={"api": keys.api_base} if keys.api_base else {},
            max_network_retries=0,  # the worker repeats by itself
            http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
        )
        self._api = client.v1

    @property
    def name(self) -> str:
        """Short name, part of the webhook's path."""
        return "stripe"

    @property
    def at_once(self) -> int:
        """Side by side, as an answer takes a tenth of a second and more; far from Stripe's limit of 100 a second."""
        return 8

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        """Makes the PaymentIntent; the same payment id gives the same one (for a day, then another unpaid one).

        Raises `KeyReused` when the id came with another amount or currency before, `Invalid` for an amount that
        Stripe cannot take, `Unavailable`.
        """
        with _asking():
            intent = self._api.payment_intents.create(
                {
                    "amount": to_stripe(amount, currency),
                    "currency": currency.lower(),
                    "metadata": {"payment_id": payment_id, "about": description},
                },
                {"idempotency_key": f"charge:{payment_id}"},
            )
        return Charge(intent.id, f"{self._url}/pay/{payment_id}")

    def checkout(self, ref: str) -> Checkout:
        """What the page with Stripe's Payment Element needs. Raises `NotFound`, `Unavailable`."""
        intent = self._intent(ref)
        return Checkout(self._keys.publishable, intent.client_secret or "", intent.status)

    def charge(self, ref: str) -> ChargeNow:
        """The charge that succeeded, if one did, and the disputes over it. Raises `NotFound`, `Unavailable`."""
        charge = self._intent(ref).latest_charge
        if charge is None or charge.status != "succeeded" or not charge.captured:
            return ChargeNow()
        return ChargeNow((_capture(charge),), self._disputes(charge))

    def statement(self, since: datetime, until: datetime) -> tuple[StatementLine, ...]:
        """The account's balance transactions about payments of ours, from `since` to before `until`, oldest first."""
        lines = []
        payments: dict[str, str] = {}
        for transaction in self._transactions({"gte": int(since.timestamp()), "lt": int(until.timestamp())}):
            payment_id = self._payment_of(transaction.source, payments)
            if payment_id:
                lines.append(statement_line(transaction, payment_id))
        return tuple(reversed(lines))

    def paid_since(self, moment: datetime) -> tuple[PaidCharge, ...]:
        """Intents of ours for which money came since, each with its capture, oldest first."""
        found: dict[str, PaidCharge] = {}
        payments: dict[str, str] = {}
        for transaction in self._transactions({"gte": int(moment.timestamp())}):
            charge = transaction.source
            if transaction.reporting_category == "charge" and (payment_id := self._payment_of(charge, payments)):
                refunded = from_stripe(charge.amount_refunded, charge.currency)
                taken = (Taken(_capture(charge), refunded),)
                found[charge.id] = PaidCharge(payment_id, _id(charge.payment_intent), taken)
        return tuple(reversed(found.values()))

    def refund(self, refund_id: str, capture_id: str, amount: int) -> str:
        """Returns money of a charge, once a refund id; answers Stripe's id of the refund.

        Raises `NotFound`, `Conflict` when Stripe will not (less is left, it is disputed), `KeyReused` when the id
        refunded something else before, `Invalid` for an amount that Stripe cannot return, `Unavailable`.
        """
        if amount < 1:
            raise Invalid("amount", f"{amount} cannot be refunded; refund at least 1 minor unit")
        with _asking():
            charge = self._api.charges.retrieve(capture_id)
            wanted = to_stripe(amount, charge.currency.upper())
            before = self._refund_before(refund_id, capture_id)
            if before is not None:
                if before.amount != wanted:
                    raise KeyReused(f"key: {refund_id!r} refunded another amount of {capture_id} before")
                return str(before.id)
            if wanted > charge.amount - charge.amount_refunded:
                raise Conflict(f"capture {capture_id}: less than {amount} is left to refund")
            made = self._api.refunds.create(
                {"charge": capture_id, "amount": wanted, "metadata": {"refund_id": refund_id}},
                {"idempotency_key": f"refund:{refund_id}"},
            )
        return made.id

    def verify_webhook(self, headers: dict[str, str], body: bytes) -> Webhook:
        """What a message signed by Stripe says: which intent it is about, if any.

        Raises `Forbidden` without a secret, or for a signature that is missing, wrong or too old; `Invalid` for junk
        under a right one.
        """
        header = next((value for name, value in headers.items() if name.lower() == HEADER), "")
        if not any(self._keys.webhook_secrets):
            raise Forbidden("webhooks: switched off, because no secret is set (TICKETCHAIN_STRIPE_WEBHOOK_SECRETS)")
        if not any([self._is_signed(header, body, secret) for secret in self._keys.webhook_secrets if secret]):
            raise Forbidden("Stripe-Signature: missing, too old, or not one over this body with a known secret")
        return _read(body)

    def _is_signed(self, header: str, body: bytes, secret: str) -> bool:
        try:
            text, tolerance = body.decode(), int(self._tolerance.total_seconds())
            return bool(stripe.WebhookSignature.verify_header(text, header, secret, tolerance))
        except (stripe.SignatureVerificationError, ValueError, IndexError):
            return False

    def _intent(self, ref: str) -> Any:
        with _asking():
            return self._api.payment_intents.retrieve(ref, {"expand": ["latest_charge"]})

    def _disputes(self, charge: Any) -> tuple[Dispute, ...]:
        if not getattr(charge, "disputed", False):
            return ()
        with _asking():
            found = list(self._api.disputes.list({"charge": charge.id, "limit": 100}).auto_paging_iter())
        return tuple(_dispute(each) for each in reversed(found) if each.status in _DISPUTES)

    def _refund_before(self, refund_id: str, capture_id: str) -> Any:
        """The refund that was made with this id; it counts unless it failed."""
        refunds = self._api.refunds.list({"charge": capture_id, "limit": 100}).auto_paging_iter()
        return next((each for each in refunds if _metadata(each, "refund_id") == refund_id), None)

    def _transactions(self, created: Any) -> Iterator[Any]:
        """Balance transactions about charges, refunds and disputes, newest first, each with its source."""
        with _asking():
            found = self._api.balance_transactions.list({"created": created, "limit": 100, "expand": ["data.source"]})
            yield from (
                each for each in found.auto_paging_iter() if each.reporting_category in CATEGORIES and each.source
            )

    def _payment_of(self, source: Any, known: dict[str, str]) -> str:
        """The id of our payment that a charge, refund or dispute is about; empty when it is none of ours."""
        ref = _id(getattr(source, "payment_intent", None))
        if not ref and hasattr(source, "charge"):
            with _asking():
                ref = _id(self._api.charges.retrieve(_id(source.charge)).payment_intent)
        if ref and ref not in known:
            known[ref] = _metadata(self._intent(ref), "payment_id")
        return known.get(ref, "")


@contextmanager
def _asking() -> Iterator[None]:
    """Stripe's errors in our words. A key that Stripe does not accept is an outage: what waits goes on once it is
    right.
    """
    try:
        yield
    except stripe.IdempotencyError as error:
        raise KeyReused(f"key: {error.user_message}") from error
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            raise NotFound(f"Stripe does not know it: {error.user_message}") from error
        raise Conflict(f"Stripe refuses: {error.user_message}") from error
    except stripe.CardError as error:
        raise Conflict(f"Stripe refuses: {error.user_message}") from error
    except stripe.StripeError as error:
        raise Unavailable(f"Stripe does not answer as it should: {error.user_message or error}") from error


def _capture(charge: Any) -> Capture:
    amount = getattr(charge, "amount_captured", charge.amount)
    return Capture(charge.id, from_stripe(amount, charge.currency), charge.currency.upper())


def _dispute(row: Any) -> Dispute:
    amount = from_stripe(row.amount, row.currency)
    return Dispute(row.id, _id(row.charge), amount, row.currency.upper(), _DISPUTES[row.status])


def _id(value: Any) -> str:
    """The id of something that Stripe gives as its id or as a whole."""
    return str(getattr(value, "id", value) or "")


def _metadata(row: Any, name: str) -> str:
    return str(getattr(row.metadata, name, "") or "")


def _read(body: bytes) -> Webhook:
    try:
        event = json.loads(body)
        about = event["data"]["object"]
        charge = about["id"] if about["object"] == "payment_intent" else about.get("payment_intent")
        if not isinstance(event["id"], str) or not isinstance(charge, str | None):
            raise TypeError
        return Webhook(event["id"], charge)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise Invalid("body", "is no event of Stripe") from None
