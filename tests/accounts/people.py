"""People with a mail address, at browsers of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from tests.api.people import Shop, done
from tests.support.logins import mails
from ticketchain.demo.passkey import SoftPasskey, to_text
from ticketchain.usecases import mail

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
FIREFOX_NEXT = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
PASSWORD = "seven green umbrellas wait"
OURS = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Browser:
    """A browser with its cookies, or a program with a token."""

    client: TestClient
    token: str = ""
    agent: str = FIREFOX

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"User-Agent": self.agent} | how.pop("headers", {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer: httpx.Response = self.client.request(method, path, headers=headers, **how)
        return answer

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("POST", path, **how)

    def delete(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("DELETE", path, **how)

    def sign_in(self, address: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        return self.post("/v1/sessions", json={"mail": address, "password": password} | more)

    def enrol(self) -> SoftPasskey:
        """A new passkey of whoever is signed in."""
        asked = done(self.post("/v1/passkeys/options"), 200)
        passkey = SoftPasskey.at("http://testserver", asked["rp"]["id"])
        done(self.post("/v1/passkeys", json=passkey.register(asked["challenge"]) | {"label": "phone"}), 201)
        return passkey

    def passkey_sign_in(self, passkey: SoftPasskey, fan_id: str, **more: Any) -> httpx.Response:
        asked = done(self.post("/v1/sessions/challenge"), 200)
        proof = passkey.sign(asked["challenge"]) | {"user_handle": to_text(fan_id.encode())}
        return self.post("/v1/sessions", json={"passkey": proof | more})


@dataclass
class Town:
    """A shop, and the mails it sent."""

    shop: Shop
    folder: Path
    read: set[str] = field(default_factory=set)

    def browser(self, agent: str = FIREFOX) -> Browser:
        """A new one, without cookies."""
        return Browser(TestClient(self.shop.client.app), agent=agent)

    def post(self) -> list[EmailMessage]:
        """The mails that came since the last look."""
        mail.send_mails(self.shop.parts)
        new = [each for each in mails(self.folder) if each["Message-ID"] not in self.read]
        self.read |= {each["Message-ID"] for each in new}
        return new

    def one(self) -> EmailMessage:
        """The one mail that came."""
        (letter,) = self.post()
        return letter

    def member(self, address: str, password: str | None = PASSWORD) -> Browser:
        """Somebody who has signed up, confirmed and is signed in."""
        browser = self.browser()
        wanted = {"mail": address} | ({"password": password} if password else {})
        asked = done(browser.post("/v1/accounts", json=wanted), 202)
        code = code_in(self.one())
        answer = browser.post("/v1/accounts/confirmation", json={"sign_up": asked["sign_up"], "code": code})
        browser.token = done(answer, 201)["token"]
        return browser


def code_in(letter: EmailMessage) -> str:
    """The code of a mail."""
    found = re.search(r"^    (\d{8})\s*$", text(letter), re.MULTILINE)
    assert found, text(letter)
    return found[1]


def secret_in(letter: EmailMessage, name: str) -> str:
    """The secret of a link of a mail."""
    found = re.search(rf"#{name}=([\w-]+)", text(letter))
    assert found, text(letter)
    return found[1]


def text(letter: EmailMessage) -> str:
    """The words of a mail."""
    return str(letter.get_content())
