"""An account opens with a code that only its owner's mailbox has; nobody learns which addresses have one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.people import PASSWORD, Browser, Town, code_in, text
from tests.api.people import done, refused
from ticketchain.domain.errors import Forbidden, Invalid
from ticketchain.domain.mail_address import checked
from ticketchain.store import logins
from ticketchain.usecases import login_tokens, sign_up


def test_a_person_signs_up_and_has_a_fan_without_a_wallet_until_it_needs_one(town: Town) -> None:
    browser = town.member("Anna@Example.com")
    account = done(browser.get("/v1/account"), 200)
    assert (account["mail"], account["password"], account["address"]) == ("Anna@Example.com", True, None)
    organizer = town.shop.organizer()
    event = town.shop.event(organizer)
    town.shop.issue(organizer, event)
    done(browser.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 201)
    address = done(browser.get("/v1/account"), 200)["address"]
    assert address == town.shop.parts.signer.wallet(account["fan_id"])


def test_an_account_needs_no_password(village: Town) -> None:
    browser = village.member("bo@example.com", password=None)
    account = done(browser.get("/v1/account"), 200)
    assert not account["password"]
    passkey = browser.enrol()
    again = village.browser()
    answer = done(again.passkey_sign_in(passkey, account["fan_id"]), 201)
    assert answer["method"] == "passkey"
    refused(again.sign_in("bo@example.com", ""), 422, "invalid")
    refused(again.sign_in("bo@example.com", "anything at all"), 401, "unauthenticated")


def test_an_address_that_has_an_account_gets_a_mail_that_says_so_and_the_answer_does_not(village: Town) -> None:
    village.member("anna@example.com")
    browser = village.browser()
    known, unknown = (
        browser.post("/v1/accounts", json={"mail": address, "password": PASSWORD + " too"})
        for address in ("ANNA@example.com ", "new@example.com")
    )
    assert known.status_code == unknown.status_code == 202
    assert known.json().keys() == unknown.json().keys()
    assert {name: len(value) for name, value in known.json().items()} == {
        name: len(value) for name, value in unknown.json().items()
    }
    letters = {str(each["To"]): each for each in village.post()}
    assert "already have an account" in letters["ANNA@example.com"]["Subject"]
    assert code_in(letters["new@example.com"])
    done(browser.sign_in("anna@example.com"), 201)  # what the other one wanted has changed nothing


def _asked(town: Town, address: str = "anna@example.com") -> tuple[Browser, str, str]:
    browser = town.browser()
    asked = done(browser.post("/v1/accounts", json={"mail": address, "password": PASSWORD}), 202)
    return browser, asked["sign_up"], code_in(town.one())


def test_a_code_is_good_once(village: Town) -> None:
    browser, secret, code = _asked(village)
    done(browser.post("/v1/accounts/confirmation", json={"sign_up": secret, "code": f" {code} "}), 201)
    refused(browser.post("/v1/accounts/confirmation", json={"sign_up": secret, "code": code}), 403, "forbidden")


def test_a_code_is_not_good_without_the_secret_of_who_began(village: Town) -> None:
    """Who fetches a code out of a mailbox, or is made to type one, opens no account that another one prepared."""
    browser, _, code = _asked(village)
    other = done(browser.post("/v1/accounts", json={"mail": "eve@example.com"}), 202)["sign_up"]
    refused(browser.post("/v1/accounts/confirmation", json={"sign_up": other, "code": code}), 403, "forbidden")


def test_a_code_ends_after_half_an_hour_and_all_that_was_known_with_it(town: Town) -> None:
    browser, secret, code = _asked(town)
    town.shop.clock.advance(minutes=31)
    refused(browser.post("/v1/accounts/confirmation", json={"sign_up": secret, "code": code}), 403, "forbidden")
    with town.shop.parts.store.read() as tx:
        (row,) = logins.lapsed_tokens(tx, town.shop.clock(), 10)
    assert sign_up.lapse(town.shop.parts)
    assert not sign_up.lapse(town.shop.parts)
    with pytest.raises(Exception, match="erased"):
        town.shop.parts.people.open(row.person_id, row.sealed, "account")


def test_five_codes_are_looked_at(village: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, secret, code = _asked(village)
    wrong = {"sign_up": secret, "code": "00000000" if code != "00000000" else "1"}
    for _ in range(login_tokens.MOST_TRIES):
        refused(browser.post("/v1/accounts/confirmation", json=wrong), 403, "forbidden")
    right = {"sign_up": secret, "code": code}
    refused(browser.post("/v1/accounts/confirmation", json=right), 403, "forbidden")
    monkeypatch.setattr("ticketchain.usecases.login_tokens.MOST_TRIES", 99)  # without the limit it would be taken
    done(browser.post("/v1/accounts/confirmation", json=right), 201)


def test_of_two_sign_ups_for_one_address_one_becomes_an_account(village: Town) -> None:
    first, second = _asked(village), _asked(village)
    for (browser, secret, code), status in ((first, 201), (second, 409)):
        done(browser.post("/v1/accounts/confirmation", json={"sign_up": secret, "code": code}), status)


def test_weak_passwords_are_refused(village: Town) -> None:
    weak = {"too short": "9 characters", "password1234": "easy to guess", "x" * 1001: "1001 characters"}
    for password, says in weak.items():
        answer = village.browser().post("/v1/accounts", json={"mail": "a@example.com", "password": password})
        assert says in refused(answer, 422, "invalid")["detail"]
    assert not village.post()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "a@b",
        "a@b.c\nBcc: eve@example.com",
        "a b@example.com",
        "a@example.com,b@example.com",
        "a@" + "x" * 260,
    ],
)
def test_what_is_no_address_gets_no_mail(address: str) -> None:
    with pytest.raises(Invalid):
        checked(address)


@pytest.mark.parametrize(
    "address", ["a@example.com", "o'neil+tickets@sub.example.co.uk", "用户@例子.公司", "ü@bücher.example"]
)
def test_addresses_of_all_the_world_are_addresses(address: str) -> None:
    assert checked(f" {address} ") == address


def test_mails_are_in_the_readers_language(village: Town) -> None:
    wanted: dict[str, Any] = {"mail": "li@example.cn", "password": PASSWORD}
    done(village.browser().post("/v1/accounts", json=wanted, headers={"Accept-Language": "zh-CN,zh;q=0.9"}), 202)
    letter = village.one()
    assert "验证码" in letter["Subject"] and code_in(letter) in letter["Subject"]
    assert "没有验证码就不会开设账户" in text(letter)


def test_a_secret_of_another_kind_is_none(village: Town) -> None:
    _, secret, _ = _asked(village)
    with pytest.raises(Forbidden):
        login_tokens.looked_up(village.shop.parts, "recovery", secret)


def test_an_address_that_asks_too_often_costs_no_hashes(village: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def hashing(password: str) -> str:
        hashed.append(password)
        return "none"

    monkeypatch.setattr(village.shop.parts.passwords, "hash", hashing)
    wanted = [{"mail": f"fan-{n}@example.com", "password": PASSWORD} for n in range(50)]
    answers = [village.browser().post("/v1/accounts", json=each) for each in wanted]
    assert {answer.status_code for answer in answers} == {202, 429} and len(hashed) == 40
