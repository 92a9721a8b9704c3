"""Own wallets: linked by a signature over EIP-4361, they are equal to the wallet that the service keeps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount

from tests.api.people import Person, Shop, done, refused
from ticketchain.usecases import own_wallets, pay

EIP4361 = re.compile(
    r"(?P<origin>https?://\S+) wants you to sign in with your Ethereum account:\n(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?P<statement>[^\n]+)\n\nURI: (?P<uri>\S+)\nVersion: 1\nChain ID: (?P<chain>\d+)\n"
    r"Nonce: (?P<nonce>[a-zA-Z0-9]{8,})\nIssued At: (?P<issued>\S+Z)\nExpiration Time: (?P<expires>\S+Z)"
)


def said(account: LocalAccount, message: str) -> str:
    return "0x" + bytes(account.sign_message(encode_defunct(text=message)).signature).hex()


def typed(account: LocalAccount, problem: dict[str, Any]) -> dict[str, Any]:
    """An own wallet's yes, as `eth_signTypedData_v4` gives it."""
    asked = problem["consent"]
    signature = account.sign_message(encode_typed_data(full_message=asked["typed_data"])).signature
    return {"consent": {"deadline": asked["deadline"], "signature": "0x" + bytes(signature).hex()}}


def link(fan: Person, account: LocalAccount) -> dict[str, Any]:
    asked = done(fan.post("/v1/wallets/questions", json={"address": account.address}), 200)
    proof = {"nonce": asked["nonce"], "signature": said(account, asked["message"]), "label": "Ledger Nano"}
    return done(fan.post("/v1/wallets", json=proof), 201)


def by_wallet(fan: Person, account: LocalAccount, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A move of a ticket in an own wallet: asked for, signed, done."""
    problem = refused(fan.post(path, json=body), 403, "consent_required")
    assert problem["consent"]["passkey"] is None and problem["consent"]["holder"] == account.address
    return done(fan.post(path, json=body | typed(account, problem)), 201)


def mine(fan: Person) -> dict[str, dict[str, Any]]:
    return {ticket["id"]: ticket for ticket in done(fan.get("/v1/tickets"), 200)["items"]}


@pytest.fixture
def fan(shop: Shop) -> Person:
    return shop.fan()


@pytest.fixture
def organizer(shop: Shop) -> Person:
    return shop.organizer()


@pytest.fixture
def ticket(shop: Shop, fan: Person, organizer: Person) -> str:
    event = shop.event(organizer)
    shop.issue(organizer, event)
    return str(shop.buy(fan, event)["lines"][0]["ticket"])


def test_the_text_is_eip_4361_and_is_signed_once(shop: Shop, fan: Person) -> None:
    account = Account.create()
    asked = done(fan.post("/v1/wallets/questions", json={"address": account.address.lower()}), 200)
    found = EIP4361.fullmatch(asked["message"])
    assert found is not None
    assert (found["address"], found["chain"], found["nonce"]) == (account.address, "31337", asked["nonce"])
    proof = {"nonce": asked["nonce"], "signature": said(account, asked["message"])}
    stranger = shop.fan()
    assert "begin again" in refused(stranger.post("/v1/wallets", json=proof), 422, "invalid")["detail"]
    for wrong in (said(Account.create(), asked["message"]), said(account, asked["message"] + " "), "0x00"):
        refused(fan.post("/v1/wallets", json=proof | {"signature": wrong}), 422, "invalid")
    first = done(fan.post("/v1/wallets", json=proof, key="k"), 201)
    assert first == done(fan.post("/v1/wallets", json=proof, key="k"), 201)
    refused(fan.post("/v1/wallets", json=proof), 422, "invalid")
    assert [each["address"] for each in done(fan.get("/v1/wallets"), 200)["items"]] == [account.address]


def test_a_signature_with_the_high_s_is_none(shop: Shop, fan: Person) -> None:
    account = Account.create()
    asked = done(fan.post("/v1/wallets/questions", json={"address": account.address}), 200)
    good = bytes.fromhex(said(account, asked["message"])[2:])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    twisted = good[:32] + high + bytes([55 - good[64]])
    answer = fan.post("/v1/wallets", json={"nonce": asked["nonce"], "signature": "0x" + twisted.hex()})
    refused(answer, 422, "invalid")
    done(fan.post("/v1/wallets", json={"nonce": asked["nonce"], "signature": "0x" + good.hex()}), 201)


def test_an_old_question_is_worth_nothing(shop: Shop, fan: Person) -> None:
    account = Account.create()
    asked = done(fan.post("/v1/wallets/questions", json={"address": account.address}), 200)
    shop.clock.advance(seconds=own_wallets.QUESTION_LIFE.total_seconds())
    answer = fan.post("/v1/wallets", json={"nonce": asked["nonce"], "signature": said(account, asked["message"])})
    assert "ten minutes" in refused(answer, 422, "invalid")["detail"]


def test_a_wallet_belongs_to_one_account_and_can_be_unlinked(shop: Shop, fan: Person) -> None:
    account, other = Account.create(), shop.fan()
    link(fan, account)
    asked = done(other.post("/v1/wallets/questions", json={"address": account.address}), 200)
    proof = {"nonce": asked["nonce"], "signature": said(account, asked["message"])}
    assert "another account" in refused(other.post("/v1/wallets", json=proof), 409, "conflict")["detail"]
    refused(other.delete(f"/v1/wallets/{account.address}"), 404, "not_found")
    assert fan.delete(f"/v1/wallets/{account.address}").status_code == 204
    refused(fan.delete(f"/v1/wallets/{account.address}"), 404, "not_found")
    link(other, account)


def test_a_kept_wallet_is_nobodys_own(shop: Shop, fan: Person) -> None:
    for address in (fan.address, shop.fan().address):
        refused(fan.post("/v1/wallets/questions", json={"address": address}), 422, "invalid")


def test_no_more_than_ten(shop: Shop, fan: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_wallets, "MOST_WALLETS", 1)
    link(fan, Account.create())
    account = Account.create()
    asked = done(fan.post("/v1/wallets/questions", json={"address": account.address}), 200)
    answer = fan.post("/v1/wallets", json={"nonce": asked["nonce"], "signature": said(account, asked["message"])})
    assert refused(answer, 409, "conflict")["limit"] == 1


def test_out_of_custody_given_on_and_back(shop: Shop, fan: Person, organizer: Person, ticket: str) -> None:
    account, friend = Account.create(), shop.fan()
    refused(fan.post(f"/v1/tickets/{ticket}/withdrawal", json={"to": account.address}), 422, "invalid")
    link(fan, account)
    move = done(fan.post(f"/v1/tickets/{ticket}/withdrawal", json={"to": account.address}), 201)
    assert (move["kind"], move["to_address"], move["state"]) == ("withdrawal", account.address, "sending")
    shop.chain.work()
    assert done(fan.get(f"/v1/moves/{move['id']}"), 200)["state"] == "done"
    assert (mine(fan)[ticket]["holder"], mine(fan)[ticket]["custodied"]) == (account.address, False)

    listing = by_wallet(fan, account, f"/v1/tickets/{ticket}/listings", {"price": 6_000, "currency": "EUR"})
    problem = refused(fan.post(f"/v1/listings/{listing['id']}/revocation"), 403, "consent_required")
    done(fan.post(f"/v1/listings/{listing['id']}/revocation", json=typed(account, problem)), 200)
    shop.chain.work()

    back = by_wallet(fan, account, f"/v1/tickets/{ticket}/deposit", {})
    assert (back["kind"], back["to_address"]) == ("deposit", fan.address)
    shop.chain.work()
    assert (mine(fan)[ticket]["holder"], mine(fan)[ticket]["custodied"]) == (fan.address, True)

    done(fan.post(f"/v1/tickets/{ticket}/withdrawal", json={"to": account.address}), 201)
    shop.chain.work()
    by_wallet(fan, account, f"/v1/tickets/{ticket}/gifts", {"to": friend.id})
    shop.chain.work()
    assert ticket not in mine(fan) and mine(friend)[ticket]["custodied"]
    moves = done(organizer.get(f"/v1/events/{mine(friend)[ticket]['event_id']}/books"), 200)["moves"]
    assert {(each["kind"], each["moves"]) for each in moves} == {("withdrawal", 2), ("deposit", 1), ("gift", 1)}


def test_a_ticket_in_an_own_wallet_is_returned_for_its_money(shop: Shop, fan: Person, ticket: str) -> None:
    account = Account.create()
    link(fan, account)
    done(fan.post(f"/v1/tickets/{ticket}/withdrawal", json={"to": account.address}), 201)
    shop.chain.work()
    quote = done(fan.get(f"/v1/tickets/{ticket}/refund-quote"), 200)
    move = by_wallet(fan, account, f"/v1/tickets/{ticket}/refunds", {})
    shop.chain.work()
    while pay.send_refunds(shop.parts):
        pass
    order = done(fan.get("/v1/orders"), 200)["items"][0]
    assert move["amount"] == quote["amount"] == order["refunds"][0]["amount"] > 0
    assert order["refunds"][0]["state"] == "done" and mine(fan) == {}


def test_a_ticket_in_an_own_wallet_moves_by_that_wallet_only(shop: Shop, fan: Person, ticket: str) -> None:
    account, thief, friend = Account.create(), Account.create(), shop.fan()
    link(fan, account)
    done(fan.post(f"/v1/tickets/{ticket}/withdrawal", json={"to": account.address}), 201)
    shop.chain.work()
    path, body = f"/v1/tickets/{ticket}/gifts", {"to": friend.id}
    problem = refused(fan.post(path, json=body), 403, "consent_required")
    refused(fan.post(path, json=body | typed(thief, problem)), 409, "consent_changed")
    assert fan.passkey is not None
    asked = problem["consent"] | {"passkey": {"challenge": "AA", "rp_id": "localhost", "allow": []}}
    refused(fan.post(path, json=body | {"consent": fan.passkey.consent(asked)}), 422, "invalid")
    refused(shop.fan().post(path, json=body), 404, "not_found")
    done(fan.post(path, json=body | typed(account, problem)), 201)


def test_a_wallets_registration_is_signed_by_the_kept_one(shop: Shop, fan: Person) -> None:
    account = Account.create()
    path = f"/v1/wallets/{account.address}/registration"
    refused(fan.post(path, json={}), 404, "not_found")
    link(fan, account)
    word = done(fan.post(path, json={}), 200)
    assert (word["account"], word["wallet"], word["ledger"]) == (fan.address, account.address, shop.ledger.address)
    fields = [("account", "address"), ("wallet", "address"), ("deadline", "uint40")]
    domain = {"name": "ticketchain", "version": "1", "chainId": 31337, "verifyingContract": word["ledger"]}
    message = encode_typed_data(
        domain,
        {"RegisterWallet": [{"name": name, "type": kind} for name, kind in fields]},
        {name: word[name] for name, _ in fields},
    )
    assert Account.recover_message(message, signature=word["consent"]) == fan.address
