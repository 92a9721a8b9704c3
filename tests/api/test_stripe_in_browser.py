"""The payment page in a real browser: Stripe's script is a stand-in, its calls are those of Stripe's documentation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from tests.api.benches import StripeBench
from tests.api.conftest import open_shop
from tests.api.people import Shop
from tests.api.test_stripe import Buyer
from tests.support.stripe_peer import StripePeer, running_stripe
from tests.toolchain.test_browser import ARGUMENTS
from ticketchain.payments.stripe import StripeProvider

pytestmark = pytest.mark.browser
SHOP = "http://shop.test"
STAND_IN = """
window.Stripe = (key) => ({
  elements: ({ clientSecret }) => ({
    create: (kind) => ({
      mount: (where) => {
        const field = document.createElement("input");
        field.setAttribute("aria-label", [kind, key, clientSecret].join(" "));
        document.querySelector(where).append(field);
      },
    }),
  }),
  confirmPayment: async ({ confirmParams }) => {
    const problem = await window.bank();
    if (problem) return { error: { message: problem } };
    window.location.assign(confirmParams.return_url);
    return new Promise(() => {});
  },
});
"""


@pytest.fixture(scope="module")
def peer() -> Iterator[StripePeer]:
    with running_stripe() as peer:
        yield peer


@pytest.fixture
def shop(peer: StripePeer, tmp_path: Path) -> Iterator[Shop]:
    provider = StripeBench.of(peer).provider
    assert isinstance(provider, StripeProvider)
    with open_shop("sqlite", tmp_path, provider) as shop:
        yield shop


@pytest.fixture
def page(shop: Shop) -> Iterator[Page]:
    """A browser whose network is the shop, and the stand-in where Stripe's script is."""

    def answer(route: Route) -> None:
        url = route.request.url
        if url == "https://js.stripe.com/v3/":
            route.fulfill(body=STAND_IN, content_type="text/javascript")
        elif url.startswith(SHOP):
            got = shop.client.get(url.removeprefix(SHOP))
            route.fulfill(status=got.status_code, body=got.content, headers=dict(got.headers))
        else:
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 360, "height": 640})
        page.route("**/*", answer)
        yield page
        browser.close()


def test_a_fan_is_declined_tries_again_and_has_paid(shop: Shop, peer: StripePeer, page: Page) -> None:
    anna, problems, said = Buyer(shop, peer), ["Your card was declined.", ""], list[str]()
    intent = anna.intent

    def bank() -> str:
        problem = problems.pop(0)
        if not problem:
            peer.pay(intent)
        return problem

    page.expose_function("bank", bank)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(SHOP + anna.page)
    secret = peer.ask("GET", f"/v1/payment_intents/{intent}")["client_secret"]
    expect(page.get_by_label(f"payment pk_test_12345 {secret}")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it fits a small phone"
    button = page.get_by_role("button", name="Pay 65.00 EUR")
    button.click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    button.press("Enter")
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    anna.hear("payment_intent.succeeded")
    assert anna.look()["state"] == "delivered"
    assert said == [], "nothing was against the page's own policy"
