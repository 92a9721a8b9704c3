"""The fan's page of tickets in a real browser with a virtual passkey (WebAuthn over CDP): every way to move a ticket,
as wide as a desk and as a phone; as a person who has signed in, as one with a link of the box office, and as one with a
wallet in the browser (EIP-1193; its keys are eth_account's).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from tests.accounts.people import FIREFOX, Town
from tests.api.conftest import open_shop
from tests.api.ledger_double import CHAIN_ID
from tests.api.people import Person, Shop, done
from tests.api.test_changes import buy, mine, open_event
from tests.toolchain.test_browser import ARGUMENTS
from ticketchain.cli.running import listening, serving

pytestmark = pytest.mark.browser

DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class House:
    """A shop that serves its pages, with an event; its ledger works by itself."""

    shop: Shop
    folder: Path
    url: str
    event: str = ""
    desk: Person = field(init=False)

    def __post_init__(self) -> None:
        organizer = self.shop.organizer()
        self.event, self.desk = open_event(self.shop, organizer, seats=12), self.shop.staff(organizer, "box-office")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("tickets")
    with listening("127.0.0.1", 0) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        with open_shop("sqlite", folder, url=url) as shop, serving(shop.client.app, listener):
            yield House(shop, folder, url)


@dataclass
class Fan:
    """Somebody at the page; errors that it logged, e.g. of its content security policy."""

    page: Page
    device: CDPSession
    house: House
    authenticator: str
    errors: list[str] = field(default_factory=list)
    trusts: bool = True  # links that open an account

    def go(self, path: str) -> None:
        self.page.goto(self.house.url + path)

    def card(self, ticket: str) -> Any:
        return self.page.locator(f'[data-ticket="{ticket}"]')

    def says(self, words: str) -> None:
        """What the page says once the ledger has done its work."""
        for _ in range(50):
            self.house.shop.chain.work()
            self.page.wait_for_timeout(100)
            if words in self.page.inner_text("#said"):
                return
        assert words in self.page.inner_text("#said") + self.page.inner_text("#problem")

    def shot(self, name: str) -> None:
        """For people to look at, in the folder TICKETCHAIN_SHOTS."""
        if shots := os.environ.get("TICKETCHAIN_SHOTS"):
            self.page.screenshot(path=f"{shots}/{name}.png", full_page=True)


def come(browser: Browser, house: House, width: int = 1_280, dark: bool = False) -> Fan:
    scheme: Any = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, user_agent=FIREFOX)
    page = context.new_page()
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = DEVICE | {"isUserVerified": True, "automaticPresenceSimulation": True}
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    fan = Fan(page, device, house, made["authenticatorId"])
    page.on("dialog", lambda asked: asked.accept() if fan.trusts else asked.dismiss())
    page.on("console", lambda said: fan.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: fan.errors.append(str(error)))
    return fan


def of_the_page(errors: list[str]) -> list[str]:
    """Without those that the browser notes of every refusal."""
    return [error for error in errors if "the server responded with a status of" not in error]


def test_a_fan_gives_offers_takes_back_and_returns_with_a_passkey(browser: Browser, house: House) -> None:
    """On a phone, in the dark."""
    made = done(house.shop.client.post("/v1/fans"), 201)
    ann, bob = Person(house.shop.client, made["api_key"], made["id"], made["address"]), house.shop.fan()
    given, offered, back, asked = (buy(house.shop, ann, house.event)[0] for _ in range(4))
    fan = come(browser, house, 360, dark=True)
    fan.go(f"/tickets#key={ann.api_key}")
    expect(fan.card(given)).to_contain_text("Yours")
    assert ann.api_key not in fan.page.url, "the key does not stay in the address"
    expect(fan.page.locator("#wallets")).to_be_hidden()
    fan.shot("tickets-first")
    fan.card(given).get_by_role("button", name="Give away").click()
    fan.page.get_by_label("To whom").fill(f"{house.url}/tickets#to={bob.id}")
    fan.page.get_by_role("button", name="Give it").click()
    expect(fan.page.locator("#dialog-problem")).to_contain_text("Add a passkey first")
    fan.page.get_by_role("button", name="Cancel").click()
    fan.page.get_by_role("button", name="Add a passkey").click()
    expect(fan.page.locator("#said")).to_have_text("Your passkey is ready.")

    fan.card(given).get_by_role("button", name="Give away").click()
    fan.page.get_by_label("To whom").fill("bob")
    fan.page.get_by_role("button", name="Give it").click()
    expect(fan.page.locator("#dialog-problem")).to_contain_text("no id of a fan")
    fan.page.get_by_label("To whom").fill(f"{house.url}/tickets#to={bob.id}")
    fan.device.send("WebAuthn.setUserVerified", {"authenticatorId": fan.authenticator, "isUserVerified": False})
    fan.page.get_by_role("button", name="Give it").click()
    expect(fan.page.locator("#dialog-problem")).to_contain_text("did not agree")
    fan.shot("tickets-give")
    fan.device.send("WebAuthn.setUserVerified", {"authenticatorId": fan.authenticator, "isUserVerified": True})
    fan.page.get_by_role("button", name="Give it").click()
    fan.says("Given.")
    assert mine(bob) == [given]

    fan.card(offered).get_by_role("button", name="Offer for sale").click()
    expect(fan.page.locator("#dialog-about")).to_contain_text("At most 73.70 EUR")
    fan.page.get_by_label("Price in EUR").fill("70,5")
    fan.page.keyboard.press("Enter")
    fan.says("Offered for")
    expect(fan.card(offered)).to_contain_text("Offered for 70.50 EUR")
    fan.card(offered).get_by_role("button", name="Take the offer back").click()
    fan.page.get_by_role("button", name="Take it back").click()
    fan.says("taken back")
    house.shop.chain.work()
    expect(fan.card(offered)).to_contain_text("Yours", timeout=15_000)

    fan.card(back).get_by_role("button", name="Return for money").click()
    expect(fan.page.get_by_role("heading", name="Return it for 63.50 EUR")).to_be_visible()
    fan.shot("tickets-return")
    fan.page.get_by_role("button", name="Return it").click()
    fan.says("goes back to you")

    wish = {"reason": "The heating failed", "amount": 6_700}
    done(house.desk.post(f"/v1/tickets/{asked}/desk-refunds", json=wish), 201)
    fan.page.reload()
    expect(fan.page.locator("#asked-list")).to_contain_text("You get 67.00 EUR back. The heating failed")
    fan.shot("tickets-asked")
    fan.page.get_by_role("button", name="Look and agree").click()
    fan.page.get_by_role("button", name="I agree").click()
    fan.says("goes back to you")
    assert mine(ann) == [offered]
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the screen"
    assert of_the_page(fan.errors) == []


def test_a_person_who_has_signed_in_gives_by_the_documented_example(browser: Browser, house: House) -> None:
    """The session's cookie is enough to look, the passkey to move; docs/consent.md runs as it stands there."""
    example = re.findall(r"```js\n(.*?)```", Path("docs/consent.md").read_text(), re.DOTALL)[0]
    ann, bob = Town(house.shop, house.folder).member("ann@example.com"), house.shop.fan()
    key = str(done(house.shop.client.post("/v1/fans"), 201)["api_key"])
    theirs = buy(house.shop, Person(house.shop.client, key), house.event)[0]
    ticket = buy(house.shop, ann, house.event)[0]  # type: ignore[arg-type]
    fan = come(browser, house)
    fan.trusts = False
    fan.go(f"/tickets#key={key}")
    expect(fan.page.get_by_role("link", name="Sign in")).to_be_visible()
    fan.page.context.add_cookies([{"name": "ticketchain", "value": ann.token, "url": house.url}])
    fan.page.reload()
    fan.page.goto("about:blank")
    fan.go(f"/tickets#key={key}")
    expect(fan.page.locator("#problem")).to_contain_text("opens another account")
    expect(fan.card(ticket)).to_contain_text("Yours")
    fan.page.get_by_role("button", name="Add a passkey").click()
    expect(fan.page.locator("#said")).to_have_text("Your passkey is ready.")
    fan.card(ticket).get_by_role("button", name="Give away").click()
    fan.page.get_by_label("To whom").fill(bob.id)
    fan.shot("tickets-wide")
    fan.page.keyboard.press("Enter")
    fan.says("Given.")

    other = come(browser, house)
    other.go(f"/tickets#key={key}")
    other.page.get_by_role("button", name="Add a passkey").click()
    expect(other.page.locator("#said")).to_have_text("Your passkey is ready.")
    call = f'agreed("/v1/tickets/{theirs}/gifts", {{ to: "{bob.id}" }}, "{key}")'
    move = other.page.evaluate(f"async () => {{ {example}\nreturn await {call}; }}")
    assert (move["kind"], move["state"], move["to"]) == ("gift", "sending", bob.id)
    house.shop.chain.work()
    assert sorted(mine(bob)) == sorted([ticket, theirs])
    assert of_the_page(fan.errors + other.errors) == []


PROVIDER = """window.ethereum = { request: async ({ method, params }) => {
  const { result, code } = await walletAnswers(method, params ?? []);
  if (code) throw Object.assign(new Error("as wallets word it"), { code });
  return result;
} };"""


@dataclass
class Wallet:
    """A browser's wallet: like the usual ones it signs only for the network that it is on, and only for accounts that
    it shows to the page. `no`: the method that its owner says no to.
    """

    shown: LocalAccount
    network: int = 1
    no: str = ""

    def answers(self, method: str, params: list[Any]) -> dict[str, Any]:
        """An answer, or an error's code (EIP-1193)."""
        if method == self.no:
            return {"code": 4001}
        simple = {"eth_requestAccounts": [self.shown.address.lower()], "eth_chainId": hex(self.network)}
        if method in simple:
            return {"result": simple[method]}
        if method == "wallet_switchEthereumChain":
            self.network = int(params[0]["chainId"], 16)
            return {"result": None}
        if method == "personal_sign":
            return self._signed(params[1], encode_defunct(hexstr=params[0]))
        assert method == "eth_signTypedData_v4"
        asked = json.loads(params[1])
        assert asked["domain"]["chainId"] == self.network == CHAIN_ID
        return self._signed(params[0], encode_typed_data(full_message=asked))

    def _signed(self, address: str, message: Any) -> dict[str, Any]:
        if address.lower() != self.shown.address.lower():
            return {"code": 4100}
        return {"result": "0x" + bytes(self.shown.sign_message(message).signature).hex()}


def come_with_wallet(browser: Browser, house: House, ann: Person, wallet: Wallet) -> Fan:
    """Somebody on a phone in the dark, with a passkey and a wallet."""
    fan = come(browser, house, 360, dark=True)
    fan.page.expose_function("walletAnswers", wallet.answers)
    fan.page.add_init_script(PROVIDER)
    fan.go(f"/tickets#key={ann.api_key}")
    fan.page.get_by_role("button", name="Add a passkey").click()
    expect(fan.page.locator("#said")).to_have_text("Your passkey is ready.")
    return fan


def link(fan: Fan, wallet: Wallet) -> None:
    """Links it; not when its owner says no."""
    fan.page.get_by_role("button", name="Link a wallet").click()
    fan.page.get_by_label("What you call it").fill("Ledger Nano")
    wallet.no = "personal_sign"
    fan.page.get_by_role("button", name="Link it").click()
    expect(fan.page.locator("#dialog-problem")).to_have_text("Nothing was done: you said no in your wallet.")
    wallet.no = ""
    fan.page.get_by_role("button", name="Link it").click()
    expect(fan.page.locator("#wallet-list")).to_contain_text(f"Ledger Nano{wallet.shown.address}")
    fan.page.get_by_role("button", name="Link a wallet").click()
    fan.page.get_by_role("button", name="Link it").click()
    expect(fan.page.locator("#dialog-problem")).to_contain_text("linked already")
    fan.page.get_by_role("button", name="Cancel").click()


def test_a_fan_with_an_own_wallet_takes_tickets_out_gives_from_it_and_brings_one_back(
    browser: Browser, house: House
) -> None:
    """Whoever says no in the wallet, or has another account there, moves nothing."""
    made = done(house.shop.client.post("/v1/fans"), 201)
    ann, bob = Person(house.shop.client, made["api_key"], made["id"], made["address"]), house.shop.fan()
    own, wallet = Account.create(), Wallet(Account.create())
    given, back = (buy(house.shop, ann, house.event)[0] for _ in range(2))
    fan = come_with_wallet(browser, house, ann, wallet)
    other, wallet.shown = wallet.shown, own
    link(fan, wallet)
    for ticket in (given, back):
        expect(fan.card(ticket)).to_contain_text("We keep it for you")
        fan.card(ticket).get_by_role("button", name="Move to my wallet").click()
        fan.shot("wallet-withdraw")
        fan.page.get_by_role("button", name="Move it").click()
        fan.says("It is in your own wallet now.")
        expect(fan.card(ticket)).to_contain_text("In your wallet Ledger Nano")
    fan.shot("wallet-phone")

    fan.card(given).get_by_role("button", name="Give away").click()
    fan.page.get_by_label("To whom").fill(bob.id)
    problem, give = fan.page.locator("#dialog-problem"), fan.page.get_by_role("button", name="Give it")
    wallet.shown = other
    give.click()
    expect(problem).to_contain_text(f"lies in your wallet {own.address}, but your browser's wallet shows")
    expect(problem).to_contain_text(other.address.lower())
    assert fan.page.evaluate("(at => at.scrollWidth <= at.clientWidth)(document.getElementById('dialog'))")
    fan.shot("wallet-other-account")
    wallet.shown, wallet.no = own, "eth_signTypedData_v4"
    give.click()
    expect(problem).to_have_text("Nothing was done: you said no in your wallet.")
    house.shop.chain.work()
    assert sorted(mine(ann)) == sorted([given, back]) and mine(bob) == []
    wallet.no = ""
    give.click()
    fan.says("Given.")
    assert (mine(ann), mine(bob)) == ([back], [given])

    fan.card(back).get_by_role("button", name="Let us keep it").focus()
    fan.page.keyboard.press("Enter")
    expect(fan.page.locator("#dialog-next")).to_contain_text("Your wallet 0x")
    fan.page.keyboard.press("Enter")
    fan.says("We keep it for you again.")
    expect(fan.card(back)).to_contain_text("We keep it for you")
    assert fan.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the screen"
    fan.page.set_viewport_size({"width": 1_280, "height": 800})
    fan.page.emulate_media(color_scheme="light")
    fan.shot("wallet-wide")
    fan.page.get_by_role("button", name="Unlink Ledger Nano").click()
    fan.page.get_by_role("button", name="Unlink it").click()
    expect(fan.page.locator("#wallet-list li")).to_have_count(0)
    assert of_the_page(fan.errors) == []
