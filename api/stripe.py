"""The page where people pay at Stripe: our words around Stripe's Payment Element, which alone sees the card.

Stripe's script may only be loaded from js.stripe.com (its rule, and what keeps card numbers out of this service): no
other page loads anything from elsewhere. Not part of the OpenAPI description.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.deps import Shop
from ticketchain.domain.errors import DomainError, NotFound
from ticketchain.domain.money import show
from ticketchain.domain.orders import UNPAID, OrderState
from ticketchain.domain.ports import Checkout
from ticketchain.usecases import pay

_TEMPLATES = Path(__file__).parent / "templates"
_STRIPE = "https://js.stripe.com https://*.js.stripe.com"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self' {_STRIPE}; frame-src {_STRIPE} https://hooks.stripe.com; "
        "connect-src https://api.stripe.com; img-src https://*.stripe.com; style-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_SAID = {
    "succeeded": ("Paid", "Thank you. You can close this page; your order goes on by itself.", True),
    "processing": ("On its way", "Your bank is at it; your order goes on when the money has arrived.", True),
}
_OVER = ("Too late", "The time to pay this order is over, and nothing was taken. Please order again.", False)
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


class StripePage(Protocol):
    """What the page needs of Stripe."""

    def checkout(self, ref: str) -> Checkout:
        """Keys for the Payment Element, and where the charge stands. Raises `Unavailable`."""


def make_router(stripe: StripePage) -> APIRouter:
    """The page's routes."""
    router = APIRouter(prefix="/pay", include_in_schema=False)
    templates = Environment(loader=FileSystemLoader(_TEMPLATES / "stripe"), autoescape=True, undefined=StrictUndefined)
    style = (_TEMPLATES / "sandbox" / "style.css").read_text(encoding="utf-8")
    script = (_TEMPLATES / "stripe" / "pay.js").read_text(encoding="utf-8")

    def page(said: tuple[str, str, bool], status: int = 200, **values: Any) -> HTMLResponse:
        shown = {"amount": "", "payment_id": "", "checkout": None} | values
        title, words, good = said
        content = templates.get_template("pay.html").render(title=title, words=words, good=good, **shown)
        return HTMLResponse(content, status_code=status, headers=_HEADERS)

    @router.get("/style.css")
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @router.get("/pay.js")
    def script_of_page() -> Response:
        return Response(script, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})

    @router.get("/{payment_id}")
    def payment_page(payment_id: str, shop: Shop) -> Response:
        try:
            return look(payment_id, shop)
        except DomainError as error:
            return page(("That did not work", error.detail, False), error.status)

    def look(payment_id: str, shop: Any) -> Response:
        payment = pay.payment_to_show(shop, payment_id)
        if payment["provider"] != "stripe" or payment["ref"] is None:
            raise NotFound(f"payment {payment_id!r} is not to be paid here (yet); look at its order again")
        shown: dict[str, Any] = {"amount": show(payment["amount"], payment["currency"]), "payment_id": payment_id}
        if payment["order_state"] not in UNPAID:
            return page(_SAID["succeeded"], **shown)
        checkout = stripe.checkout(payment["ref"])
        if checkout.status in _SAID:
            return page(_SAID[checkout.status], **shown)
        if payment["order_state"] == OrderState.EXPIRED or checkout.status not in _OPEN:
            return page(_OVER, **shown)
        return page((f"Pay {shown['amount']}", "", True), checkout=checkout, **shown)

    return router
