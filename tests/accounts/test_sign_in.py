"""Signing in by password, with the code of an app, by passkey; guessing is slow, and says nothing."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from tests.accounts.people import CHROME, PASSWORD, Browser, Town
from tests.api.people import done, refused
from ticketchain.demo.passkey import PRESENT, SoftPasskey, to_text
from ticketchain.passwords.argon2 import Argon2Passwords, Cost
from ticketchain.store import logins
from ticketchain.usecases import attempts


def test_a_password_signs_in_whichever_keyboard_it_is_typed_on(village: Town) -> None:
    village.member("anna@example.com", "Spaßvogel ﬁndet 12 Pﬂaumen")
    done(village.browser().sign_in("Anna@EXAMPLE.com", "Spaßvogel findet 12 Pflaumen"), 201)
    refused(village.browser().sign_in("anna@example.com", "Spaßvogel findet 12 pflaumen"), 401, "unauthenticated")


def test_a_long_password_counts_to_its_end(village: Town) -> None:
    long = "word by word " * 70
    village.member("anna@example.com", long + "1")
    refused(village.browser().sign_in("anna@example.com", long + "2"), 401, "unauthenticated")
    done(village.browser().sign_in("anna@example.com", long + "1"), 201)


def test_no_answer_says_whether_an_address_has_an_account(village: Town) -> None:
    village.member("anna@example.com")
    village.member("passkeys@example.com", password=None)
    answers = [
        refused(village.browser().sign_in(address, "not the password"), 401, "unauthenticated")
        for address in ("anna@example.com", "passkeys@example.com", "nobody@example.com")
    ]
    shown = [{name: value for name, value in each.items() if name != "request_id"} for each in answers]
    assert shown[0] == shown[1] == shown[2]


def _medians(town: Town) -> tuple[float, float]:
    """Seconds that a wrong password takes for an address with an account, and for one without."""
    took: dict[str, list[float]] = {"anna@example.com": [], "nobody@example.com": []}
    for _ in range(5):
        for address, times in took.items():
            begun = time.perf_counter()
            town.browser().sign_in(address, "not the password")
            times.append(time.perf_counter() - begun)
        town.shop.clock.advance(hours=2)
    known, unknown = (statistics.median(times) for times in took.values())
    return known, unknown


def test_nor_does_the_time_it_takes(village: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """With hashes that take long, so that it shows; the variant that hashes nothing for nobody is told apart."""
    slow = Argon2Passwords(cost=Cost(memory_kib=19_456, rounds=6))
    object.__setattr__(village.shop.parts, "passwords", slow)
    slow.matches(None, "")  # makes the hash that nothing fits
    village.member("anna@example.com")
    known, unknown = _medians(village)
    assert 0.4 < unknown / known < 2.5

    def hasty(stored: str | None, password: str) -> bool:
        return stored is not None and Argon2Passwords.matches(slow, stored, password)

    monkeypatch.setattr(slow, "matches", hasty)
    known, unknown = _medians(village)
    assert unknown / known < 0.4


def test_a_hash_of_another_cost_is_made_anew(village: Town) -> None:
    village.member("anna@example.com")
    object.__setattr__(village.shop.parts, "passwords", Argon2Passwords(cost=Cost(memory_kib=16, rounds=1)))
    for _ in range(2):
        done(village.browser().sign_in("anna@example.com"), 201)
    with village.shop.parts.store.read() as tx:
        index = village.shop.parts.people.index("anna@example.com")
        account = logins.account_by_mail(tx, index)
    assert account is not None and "m=16,t=1" in account.password


# ------------------------------------------------------------------------------------------------ guessing


def test_guesses_are_slowed_down_for_the_account_wherever_they_come_from(village: Town) -> None:
    village.member("anna@example.com")
    for _ in range(5):
        refused(village.browser().sign_in("anna@example.com", "a wrong guess"), 401, "unauthenticated")
    answer = village.browser(CHROME).sign_in("anna@example.com")  # the right one, too: it is not looked at
    problem = refused(answer, 429, "too_many_attempts")
    assert answer.headers["retry-after"] == str(problem["retry_after_s"]) == "2"
    village.shop.clock.advance(seconds=3)
    refused(village.browser().sign_in("anna@example.com", "a wrong guess"), 401, "unauthenticated")
    village.shop.clock.advance(seconds=3)
    assert village.browser().sign_in("anna@example.com").json()["retry_after_s"] == 1  # it doubles
    village.shop.clock.advance(seconds=2)
    done(village.browser().sign_in("anna@example.com"), 201)
    refused(village.browser().sign_in("anna@example.com", "a wrong guess"), 401, "unauthenticated")  # counts anew


def test_guesses_sent_at_once_are_no_more(town: Town) -> None:
    town.member("anna@example.com")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: town.browser().sign_in("anna@example.com", "a wrong guess"), range(16)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 11


def test_an_address_that_tries_many_accounts_is_slowed_down(village: Town) -> None:
    for number in range(40):
        village.browser().sign_in(f"fan{number}@example.com", "a wrong guess")
    refused(village.browser().sign_in("anna@example.com", PASSWORD), 429, "too_many_attempts")


def test_a_house_full_of_people_who_know_their_passwords_is_not_slowed_down(town: Town) -> None:
    town.member("anna@example.com")
    for _ in range(39):
        town.browser().sign_in("nobody@example.com", "a wrong guess")
        town.shop.clock.advance(hours=1)
    for _ in range(3):
        done(town.browser().sign_in("anna@example.com"), 201)
    town.browser().sign_in("bo@example.com", "a wrong guess")
    refused(town.browser().sign_in("anna@example.com"), 429, "too_many_attempts")  # what others guessed still counts


def test_pauses_double_to_an_hour() -> None:
    assert [attempts.pause(count, 5).total_seconds() for count in (4, 5, 6, 7, 100)] == [0, 2, 4, 8, 3600]


def test_guesses_never_keep_the_owners_passkey_out(village: Town) -> None:
    owner = village.member("anna@example.com")
    fan_id, passkey = done(owner.get("/v1/account"), 200)["fan_id"], owner.enrol()
    for _ in range(60):
        village.browser().sign_in("anna@example.com", "a wrong guess")
    refused(village.browser().sign_in("anna@example.com"), 429, "too_many_attempts")
    done(village.browser().passkey_sign_in(passkey, fan_id), 201)


def test_few_hashes_are_made_at_once_and_few_wait(village: Town) -> None:
    busy = Argon2Passwords(cost=Cost(memory_kib=8, rounds=1), at_once=1, waiting=2)
    object.__setattr__(village.shop.parts, "passwords", busy)
    village.member("anna@example.com")
    busy._hashing.acquire()
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(village.browser().sign_in, "anna@example.com") for _ in range(4)]
        while not any(each.done() for each in asked):
            time.sleep(0.01)
        (refusal,) = [each.result() for each in asked if each.done()]
        busy._hashing.release()
    refused(refusal, 503, "unavailable")
    assert sorted(each.result().status_code for each in asked) == [201, 201, 201, 503]


# ------------------------------------------------------------------------------------------------ second factor


def _with_app(town: Town) -> tuple[Browser, pyotp.TOTP]:
    owner = town.member("anna@example.com")
    begun = done(owner.post("/v1/account/second-factor"), 200)
    assert begun["secret"] in begun["uri"] and begun["qr"]["path"].startswith("M4 4h7v1h-7z")
    app = pyotp.TOTP(begun["secret"])
    town.shop.clock.advance(seconds=30)
    answer = owner.post("/v1/account/second-factor/confirmation", json={"code": app.at(town.shop.clock())})
    assert answer.status_code == 204, answer.text
    assert "asks for a code" in town.one()["Subject"]
    return owner, app


def test_an_account_can_want_the_code_of_an_app_which_is_good_once(village: Town) -> None:
    _, app = _with_app(village)
    browser, now = village.browser(), village.shop.clock
    assert refused(browser.sign_in("anna@example.com"), 401, "unauthenticated")["second_factor"]
    refused(browser.sign_in("anna@example.com", code=app.at(now())), 401, "unauthenticated")  # used to confirm it
    now.advance(seconds=30)
    code = app.at(now())
    assert done(browser.sign_in("anna@example.com", code=code), 201)["method"] == "totp"
    refused(browser.sign_in("anna@example.com", code=code), 401, "unauthenticated")
    now.advance(seconds=90)
    refused(browser.sign_in("anna@example.com", code=app.at(now() - timedelta(seconds=60))), 401, "unauthenticated")
    refused(browser.sign_in("anna@example.com", "a wrong guess", code=app.at(now())), 401, "unauthenticated")


def test_a_code_of_the_app_is_good_once_also_when_it_comes_twice_at_once(town: Town) -> None:
    _, app = _with_app(town)
    town.shop.clock.advance(seconds=60)
    code = app.at(town.shop.clock())
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: town.browser().sign_in("anna@example.com", code=code), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


def test_who_lost_the_app_drops_it_by_passkey(village: Town) -> None:
    owner, _ = _with_app(village)
    passkey, fan_id = owner.enrol(), done(owner.get("/v1/account"), 200)["fan_id"]
    again = village.browser()
    again.token = done(again.passkey_sign_in(passkey, fan_id), 201)["token"]
    assert again.delete("/v1/account/second-factor").status_code == 204
    done(village.browser().sign_in("anna@example.com"), 201)


# ------------------------------------------------------------------------------------------------ passkeys


def test_a_passkeys_proof_signs_in_once_and_only_its_owner(village: Town) -> None:
    anna, bo = village.member("anna@example.com"), village.member("bo@example.com")
    fan, other = (done(each.get("/v1/account"), 200)["fan_id"] for each in (anna, bo))
    passkey = anna.enrol()
    asked = done(anna.post("/v1/sessions/challenge"), 200)["challenge"]
    proof = {"passkey": passkey.sign(asked) | {"user_handle": to_text(fan.encode())}}
    done(village.browser().post("/v1/sessions", json=proof), 201)
    refused(village.browser().post("/v1/sessions", json=proof), 403, "forbidden")  # replayed
    refused(village.browser().passkey_sign_in(passkey, other), 401, "unauthenticated")
    refused(village.browser().passkey_sign_in(passkey, "fan_" + "0" * 32), 401, "unauthenticated")


def test_other_proofs_sign_nobody_in(village: Town) -> None:
    anna = village.member("anna@example.com")
    fan, passkey = done(anna.get("/v1/account"), 200)["fan_id"], anna.enrol()
    others = {
        "unlocked by nobody": (replace(passkey, flags=PRESENT), 401),
        "another site's": (replace(passkey, origin="https://testserver.evil.example"), 401),
        "somebody's": (SoftPasskey.at("http://testserver", "testserver"), 401),
        "challenge of one's own": (passkey, 403),
        "late": (passkey, 403),
        "junk": (passkey, 401),
    }
    for name, (other, status) in others.items():
        asked = done(anna.post("/v1/sessions/challenge"), 200)["challenge"]
        if name == "challenge of one's own":
            asked = to_text(b"made by another one, 32 bytes lg")
        proof = other.sign(asked) | {"user_handle": to_text(fan.encode())}
        if name == "late":
            village.shop.clock.advance(minutes=6)
        if name == "junk":
            proof["client_data_json"] = to_text(b"[]")
        answer = village.browser().post("/v1/sessions", json={"passkey": proof})
        refused(answer, status, "forbidden" if status == 403 else "unauthenticated")
    done(village.browser().passkey_sign_in(passkey, fan), 201)


def test_a_passkey_of_a_fan_without_an_account_opens_none(village: Town) -> None:
    fan = village.shop.fan()
    passkey = fan.passkey or Browser(village.shop.client, fan.api_key).enrol()
    refused(village.browser().passkey_sign_in(passkey, fan.id), 401, "unauthenticated")


def test_counting_and_forgiving_at_once_trips_over_nobody(town: Town) -> None:
    subject = attempts.Subject(bytes(32), free=1_000)

    def work(number: int) -> None:
        attempts.count(town.shop.parts, subject)
        attempts.forgive(town.shop.parts, [subject])
        attempts.forget_old(town.shop.parts)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(36)))
