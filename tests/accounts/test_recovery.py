"""Back into an account by mail, and changes of it: whoever does that gets no ticket out before the owner notices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp

from tests.accounts.people import PASSWORD, Browser, Town, code_in, secret_in, text
from tests.api.people import done, refused
from ticketchain.domain.errors import SignerStopped
from ticketchain.usecases import sessions

NEW = "four purple bicycles rest"


def _asked(town: Town, address: str = "anna@example.com") -> str:
    done(town.browser().post("/v1/recoveries", json={"mail": address}), 202)
    return secret_in(town.one(), "recovery")


def _recover(town: Town, secret: str, **more: Any) -> Any:
    return town.browser().post("/v1/recoveries/completion", json={"recovery": secret} | more)


def _held(town: Town, owner: Browser) -> bool:
    fan = done(owner.get("/v1/account"), 200)["fan_id"]
    until = town.shop.parts.signer.standing(fan).held_until
    return until is not None and until >= town.shop.clock() + timedelta(hours=24)


def test_a_mailed_link_leads_back_once_ends_all_sessions_and_holds_all_moves(town: Town) -> None:
    owner = town.member("anna@example.com")
    assert not _held(town, owner)
    secret = _asked(town)
    refused(_recover(town, secret, password="password1234"), 422, "invalid")  # which uses it up no more than a typo
    again = town.browser()
    again.token = done(_recover(town, secret, password=NEW), 201)["token"]
    refused(owner.get("/v1/account"), 401, "unauthenticated")
    assert _held(town, again)
    assert "was recovered" in town.one()["Subject"]
    refused(_recover(town, secret, password=NEW), 403, "forbidden")
    refused(town.browser().sign_in("anna@example.com", PASSWORD), 401, "unauthenticated")
    done(town.browser().sign_in("anna@example.com", NEW), 201)


def test_a_link_comes_twice_at_once_and_works_once(town: Town) -> None:
    town.member("anna@example.com")
    secret = _asked(town)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: _recover(town, secret), range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403]


def test_a_link_ends_after_half_an_hour_and_with_the_next_one(village: Town) -> None:
    village.member("anna@example.com")
    first, second = _asked(village), _asked(village)
    refused(_recover(village, first), 403, "forbidden")
    village.shop.clock.advance(minutes=31)
    refused(_recover(village, second), 403, "forbidden")


def test_nobody_learns_who_has_an_account_by_asking_for_links(village: Town) -> None:
    village.member("anna@example.com")
    known, unknown = (
        village.browser().post("/v1/recoveries", json={"mail": address})
        for address in ("anna@example.com", "nobody@example.com")
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert village.one()["To"] == "anna@example.com"


def test_links_cannot_be_asked_for_without_end(village: Town) -> None:
    village.member("anna@example.com")
    for _ in range(5):
        _asked(village)
    refused(village.browser().post("/v1/recoveries", json={"mail": "anna@example.com"}), 429, "too_many_attempts")


def test_an_account_is_not_recovered_when_its_moves_cannot_be_held(village: Town, monkeypatch: Any) -> None:
    owner = village.member("anna@example.com")
    secret = _asked(village)

    def stopped(owner: str, cause: str) -> None:
        raise SignerStopped("the signer's switch is off")

    monkeypatch.setattr(village.shop.parts.signer, "hold_moves", stopped)
    refused(_recover(village, secret), 503, "signer_stopped")
    done(owner.get("/v1/account"), 200)
    monkeypatch.undo()
    done(_recover(village, secret), 201)


def test_who_has_the_mailbox_only_does_not_get_past_the_second_factor(village: Town) -> None:
    owner = village.member("anna@example.com")
    app = pyotp.TOTP(done(owner.post("/v1/account/second-factor"), 200)["secret"])
    code = {"code": app.at(village.shop.clock())}
    assert owner.post("/v1/account/second-factor/confirmation", json=code).status_code == 204
    village.post()
    secret = _asked(village)
    assert refused(_recover(village, secret), 401, "unauthenticated")["second_factor"]
    village.shop.clock.advance(seconds=60)
    done(_recover(village, secret, code=app.at(village.shop.clock())), 201)


# ------------------------------------------------------------------------------------------------ changes


def _moved(town: Town, owner: Browser, to: str) -> Any:
    asked = done(owner.post("/v1/account/mail", json={"mail": to}), 202)
    body = {"change": asked["change"], "code": code_in(town.one())}
    return owner.post("/v1/account/mail/confirmation", json=body)


def test_a_new_address_is_confirmed_and_the_old_one_told(town: Town) -> None:
    owner = town.member("anna@example.com")
    answer = _moved(town, owner, "anna@new.example")
    assert answer.status_code == 204, answer.text
    assert _held(town, owner)
    letter = town.one()
    assert letter["To"] == "anna@example.com" and "new mail address" in letter["Subject"]
    done(town.browser().sign_in("anna@new.example"), 201)
    refused(town.browser().sign_in("anna@example.com"), 401, "unauthenticated")


def test_the_old_address_takes_the_account_back_from_a_thief(town: Town) -> None:
    thief = town.member("anna@example.com")  # who has her password and her session
    _moved(town, thief, "eve@evil.example")
    undo = secret_in(town.one(), "undo")
    town.shop.clock.advance(days=6)
    assert town.browser().post("/v1/recoveries/undo", json={"undo": undo}).status_code == 204
    refused(thief.get("/v1/account"), 401, "unauthenticated")
    refused(town.browser().sign_in("anna@example.com"), 401, "unauthenticated")  # the thief knows that password
    letter = town.one()
    assert letter["To"] == "anna@example.com"
    owner = town.browser()
    owner.token = done(_recover(town, secret_in(letter, "recovery"), password=NEW), 201)["token"]
    assert done(owner.get("/v1/account"), 200)["mail"] == "anna@example.com"
    refused(town.browser().post("/v1/recoveries/undo", json={"undo": undo}), 403, "forbidden")


def test_who_changes_the_address_twice_does_not_keep_its_owner_out(town: Town) -> None:
    thief = town.member("anna@example.com")
    _moved(town, thief, "eve@evil.example")
    owners = secret_in(town.one(), "undo")
    town.shop.clock.advance(minutes=1)
    _moved(town, thief, "eve@elsewhere.example")
    thiefs = secret_in(town.one(), "undo")
    assert town.browser().post("/v1/recoveries/undo", json={"undo": thiefs}).status_code == 204
    assert town.browser().post("/v1/recoveries/undo", json={"undo": owners}).status_code == 204
    assert town.post()[-1]["To"] == "anna@example.com"
    done(_recover(town, _asked(town)), 201)


def test_the_owner_undoes_all_later_changes_at_once(village: Town) -> None:
    thief = village.member("anna@example.com")
    _moved(village, thief, "eve@evil.example")
    owners = secret_in(village.one(), "undo")
    village.shop.clock.advance(minutes=1)
    _moved(village, thief, "eve@elsewhere.example")
    thiefs = secret_in(village.one(), "undo")
    assert village.browser().post("/v1/recoveries/undo", json={"undo": owners}).status_code == 204
    refused(village.browser().post("/v1/recoveries/undo", json={"undo": thiefs}), 403, "forbidden")


def test_a_copied_session_makes_no_passkey_and_the_owner_hears_of_each(village: Town) -> None:
    owner = village.member("anna@example.com")
    owner.enrol()
    letter = village.one()
    assert letter["To"] == "anna@example.com" and "passkey was added" in letter["Subject"]
    village.shop.clock.advance(minutes=11)
    assert refused(owner.post("/v1/passkeys/options"), 403, "forbidden")["proof"]
    assert owner.post("/v1/account/proof", json={"password": PASSWORD}).status_code == 204
    owner.enrol()
    assert "passkey was added" in village.one()["Subject"]
    assert len(done(owner.get("/v1/passkeys"), 200)["items"]) == 2


def test_recovery_removes_a_thiefs_passkey_before_it_is_good(town: Town) -> None:
    thief = town.member("anna@example.com")
    fan = done(thief.get("/v1/account"), 200)["fan_id"]
    town.shop.parts.signer.wallet(fan)
    town.shop.clock.advance(minutes=61)
    thief.token = done(thief.sign_in("anna@example.com"), 201)["token"]  # who knows the password
    passkey = thief.enrol()
    assert "passkey was added" in town.one()["Subject"]
    owner = town.browser()
    owner.token = done(_recover(town, _asked(town), password=NEW), 201)["token"]
    assert done(owner.get("/v1/passkeys"), 200)["items"] == []
    assert _held(town, owner)
    refused(thief.passkey_sign_in(passkey, fan), 401, "unauthenticated")


def test_another_ones_address_cannot_be_taken(village: Town) -> None:
    village.member("bo@example.com")
    owner = village.member("anna@example.com")
    refused(_moved(village, owner, "bo@example.com"), 409, "conflict")
    assert done(owner.get("/v1/account"), 200)["mail"] == "anna@example.com"


def test_changes_want_a_fresh_proof(village: Town) -> None:
    owner = village.member("anna@example.com")
    passkey = owner.enrol()
    changes: list[tuple[str, str, Any]] = [
        ("PUT", "/v1/account/password", {"password": NEW}),
        ("POST", "/v1/account/mail", {"mail": "anna@new.example"}),
        ("POST", "/v1/account/second-factor", None),
        ("DELETE", "/v1/account/second-factor", None),
    ]
    village.shop.clock.advance(minutes=11)
    for method, path, body in changes:
        assert refused(owner.ask(method, path, json=body), 403, "forbidden")["proof"]
    refused(owner.post("/v1/account/proof", json={"password": "a wrong guess"}), 401, "unauthenticated")
    assert owner.post("/v1/account/proof", json={"password": PASSWORD}).status_code == 204
    done(owner.post("/v1/account/mail", json={"mail": "anna@new.example"}), 202)
    village.shop.clock.advance(minutes=11)
    challenge = done(owner.post("/v1/sessions/challenge"), 200)["challenge"]
    proof = {"passkey": passkey.sign(challenge)}
    assert owner.post("/v1/account/proof", json=proof).status_code == 204
    done(owner.post("/v1/account/mail", json={"mail": "anna@new.example"}), 202)
    refused(owner.post("/v1/account/proof", json=proof), 403, "forbidden")


def test_a_new_password_ends_all_other_sessions(village: Town) -> None:
    owner, other = village.member("anna@example.com"), village.browser()
    other.token = done(other.sign_in("anna@example.com"), 201)["token"]
    refused(owner.ask("PUT", "/v1/account/password", json={"password": "anna@example.com"}), 422, "invalid")
    assert owner.ask("PUT", "/v1/account/password", json={"password": NEW}).status_code == 204
    done(owner.get("/v1/account"), 200)
    refused(other.get("/v1/account"), 401, "unauthenticated")
    assert "password" in village.one()["Subject"]
    done(village.browser().sign_in("anna@example.com", NEW), 201)
    assert owner.ask("PUT", "/v1/account/password", json={"password": None}).status_code == 204
    refused(village.browser().sign_in("anna@example.com", NEW), 401, "unauthenticated")


def test_what_was_about_a_person_is_gone_when_it_is_forgotten(town: Town) -> None:
    owner = town.member("anna@example.com")
    account, parts = done(owner.get("/v1/account"), 200), town.shop.parts
    with parts.store.begin() as tx:
        sessions.forget(parts, tx, account["id"])
    refused(owner.get("/v1/account"), 401, "unauthenticated")
    left = town.shop.counts()
    assert [left[name] for name in ("accounts", "sessions", "session_tokens", "login_tokens")] == [0, 0, 0, 0]
    assert left["fans"] == 1


def test_a_mail_address_stands_nowhere_in_plain(village: Town) -> None:
    owner = village.member("canary.7f3a@example.com")
    _moved(village, owner, "canary.9b2c@example.com")
    village.browser().sign_in("canary.7f3a@example.com")
    village.browser().post("/v1/recoveries", json={"mail": "canary.9b2c@example.com"})
    files = b"".join(file.read_bytes() for file in village.folder.rglob("*.db*"))
    logged = repr(village.shop.log.lines).encode()
    assert b"canary." not in files + logged
    assert text(village.post()[-1])
