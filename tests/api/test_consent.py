"""Consent over HTTP (docs/consent.md): asked for, given with a passkey, and worth nothing for anything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from sqlalchemy import update

from tests.api.people import Person, Shop, done, refused
from tests.api.test_changes import buy, free, mine, open_event
from ticketchain.demo.passkey import SoftPasskey, from_text, to_text
from ticketchain.domain import consents
from ticketchain.domain.typed_data import TYPES, typed_data
from ticketchain.store import schema_chain

OFFER: dict[str, Any] = {"price": 6_000, "currency": "EUR"}
LISTED = "/v1/listings/{}/revocation"


def without(fan: Person, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> httpx.Response:
    """Asks as somebody who has the API key, and not the passkey."""
    return Person(fan.client, fan.api_key).post(path, json=body or {}, key=key)


class Moves:
    """A fan with a ticket for each way to move one; each way's address, body, and kind of consent."""

    def __init__(self, shop: Shop) -> None:
        organizer, self.ann, self.bob = shop.organizer(), shop.fan(), shop.fan()
        self.event, desk = open_event(shop, organizer, seats=6), shop.staff(organizer, "box-office")
        self.tickets = [buy(shop, self.ann, self.event)[0] for _ in range(5)]
        gift, offered, back, asked, swap = (f"/v1/tickets/{ticket}" for ticket in self.tickets)
        listing = done(self.ann.post(f"{offered}/listings", json=OFFER), 201)
        move = done(desk.post(f"{asked}/desk-refunds", json={"reason": "ill"}), 201)
        self.listing, self.move = listing["id"], move["id"]
        self.all: list[tuple[str, dict[str, Any], str]] = [
            (f"{gift}/gifts", {"to": self.bob.id}, "gift"),
            (f"{gift}/listings", OFFER, "offer"),
            (LISTED.format(listing["id"]), {}, "revoke"),
            (f"{back}/refunds", {}, "refund"),
            (f"/v1/moves/{move['id']}/consent", {}, "refund"),
            (f"{swap}/exchange", {"price_class": "B"}, "exchange"),
        ]


def test_every_way_to_move_a_ticket_asks_for_consent_and_takes_only_the_holders(shop: Shop) -> None:
    """Control: with the holder's own passkey each is done."""
    moves = Moves(shop)
    shop.clock.advance(hours=2)
    thief = moves.bob.passkey
    assert moves.ann.passkey is not None and thief is not None
    before = shop.counts()
    for path, body, kind in moves.all:
        wanted = refused(without(moves.ann, path, body), 403, "consent_required")["consent"]
        assert (wanted["kind"], wanted["holder"], wanted["custodied"]) == (kind, moves.ann.address, True)
        assert from_text(wanted["passkey"]["challenge"]).hex() == wanted["digest"][2:] == signed_by_others(wanted)
        assert wanted["passkey"]["allow"] == [shown(moves.ann.passkey)]
        stolen = {"consent": thief.consent(wanted)}
        refused(without(moves.ann, path, body | stolen), 403, "proof_refused")
        stolen["consent"]["passkey"]["id"] = shown(moves.ann.passkey)
        refused(without(moves.ann, path, body | stolen), 403, "proof_refused")
        bare = {"consent": {"deadline": wanted["deadline"], "signature": "0x" + "11" * 65}}
        refused(without(moves.ann, path, body | bare), 422, "invalid")
    after = shop.counts()
    assert after | {"holds": before["holds"]} == before  # a seat was held while the signer looked at a proof
    assert mine(moves.ann) == moves.tickets and free(shop, moves.event)["B"] == 6
    for path, body, kind in moves.all:
        if kind != "offer":  # that ticket is given away
            assert moves.ann.post(path, json=body).is_success


def shown(passkey: SoftPasskey) -> str:
    return passkey.sign("AA")["id"]


def signed_by_others(wanted: dict[str, Any]) -> str:
    """The digest that wallets sign for the typed data."""
    return _hash_eip191_message(encode_typed_data(full_message=wanted["typed_data"])).hex()


def test_what_changed_between_the_two_requests_is_told_and_not_done(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    assert ann.passkey is not None
    path = f"/v1/tickets/{ticket}/gifts"
    wanted = refused(without(ann, path, {"to": bob.id}), 403, "consent_required")["consent"]
    given = {"consent": ann.passkey.consent(wanted)}
    cleo = shop.fan()
    problem = refused(without(ann, path, {"to": cleo.id} | given), 409, "consent_changed")  # to somebody else
    assert problem["consent"]["typed_data"]["message"]["to"] == cleo.address and "look again" in problem["detail"]
    refused(without(ann, f"/v1/tickets/{ticket}/listings", OFFER | given), 409, "consent_changed")
    seen = refused(without(ann, f"/v1/tickets/{ticket}/listings", OFFER), 403, "consent_required")["consent"]
    dearer = OFFER | {"price": OFFER["price"] - 1, "consent": ann.passkey.consent(seen)}
    refused(without(ann, f"/v1/tickets/{ticket}/listings", dearer), 409, "consent_changed")
    with shop.parts.store.begin() as tx:  # it went to somebody and came back
        tx.execute(update(schema_chain.tickets).values(epoch=schema_chain.tickets.c.epoch + 1))
    refused(without(ann, path, {"to": bob.id} | given), 409, "consent_changed")
    shop.clock.advance(hours=1)
    assert "has passed" in refused(without(ann, path, {"to": bob.id} | given), 409, "expired")["detail"]
    for deadline in (wanted["deadline"] + 3_601, (1 << 40) - 1):
        later = {"consent": given["consent"] | {"deadline": deadline}}
        assert refused(without(ann, path, {"to": bob.id} | later), 422, "invalid")["most"]
    assert mine(ann) == [ticket]


def test_a_consent_is_good_for_one_move_and_its_repetition(shop: Shop) -> None:
    """Who lost the answer sends the same again, or agrees anew, under the same Idempotency-Key."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    assert ann.passkey is not None
    path, gift = f"/v1/tickets/{ticket}/gifts", {"to": bob.id}
    wanted = refused(without(ann, path, gift, key="k"), 403, "consent_required")["consent"]
    given = gift | {"consent": ann.passkey.consent(wanted)}
    first = done(without(ann, path, given, key="k"), 201)
    assert done(without(ann, path, given, key="k"), 201) == first
    assert done(without(ann, path, gift | {"consent": ann.passkey.consent(wanted)}, key="k"), 201) == first
    refused(without(ann, path, given), 409, "conflict")  # on its way
    shop.chain.work()
    refused(without(ann, path, given), 404, "not_found")  # it is bob's now
    done(bob.post(path, json={"to": ann.id}), 201)
    shop.chain.work()
    refused(without(ann, path, given), 409, "consent_changed")  # and ann's again, at another epoch
    assert shop.counts()["moves"] == 2


def test_the_seat_of_an_exchange_is_the_one_that_was_agreed_to(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    assert ann.passkey is not None
    path, by_class = f"/v1/tickets/{ticket}/exchange", {"price_class": "B"}
    wanted = refused(without(ann, path, by_class), 403, "consent_required")["consent"]
    seat, given = wanted["typed_data"]["message"]["toId"], {"consent": ann.passkey.consent(wanted)}
    hold = done(bob.post(f"/v1/events/{event}/holds", json={"tickets": [seat]}), 201)
    problem = refused(without(ann, path, by_class | given), 409, "consent_changed")
    assert problem["consent"]["typed_data"]["message"]["toId"] != seat
    refused(without(ann, path, {"to_ticket": seat} | given), 409, "seat_taken")
    assert bob.delete(f"/v1/holds/{hold['id']}").status_code == 204
    assert done(without(ann, path, {"to_ticket": seat} | given), 201)["to_ticket"] == seat


IS_ONE = to_text(b'{"challenge":1}')
BAD: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("both", lambda given: given | {"signature": "0x" + "11" * 65}),
    ("neither", lambda given: {"deadline": given["deadline"]}),
    ("no deadline", lambda given: {"passkey": given["passkey"]}),
    ("a text", lambda given: "yes"),
    ("a deadline before 1970", lambda given: given | {"deadline": -1}),
    ("a deadline of 41 bits", lambda given: given | {"deadline": 1 << 40}),
    ("padding", lambda given: given | {"passkey": given["passkey"] | {"id": "AAA="}}),
    ("cut off", lambda given: given | {"passkey": given["passkey"] | {"signature": "AAAAA"}}),
    ("oversized", lambda given: given | {"passkey": given["passkey"] | {"client_data_json": "A" * 5_000}}),
    ("no JSON", lambda given: given | {"passkey": given["passkey"] | {"client_data_json": "AAAA"}}),
    ("a list", lambda given: given | {"passkey": given["passkey"] | {"client_data_json": "W10"}}),
    ("a challenge that is 1", lambda given: given | {"passkey": given["passkey"] | {"client_data_json": IS_ONE}}),
    ("odd digits", lambda given: {"deadline": given["deadline"], "signature": "0x111"}),
]


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_a_malformed_consent_is_named(shop: Shop) -> None:
    ann, bob = shop.fan(), shop.fan()
    event = open_event(shop, shop.organizer())
    ticket, _ = buy(shop, ann, event)
    assert ann.passkey is not None
    path, gift = f"/v1/tickets/{ticket}/gifts", {"to": bob.id}
    given = ann.passkey.consent(refused(without(ann, path, gift), 403, "consent_required")["consent"])
    for what, spoil in BAD:
        answer = without(ann, path, gift | {"consent": spoil(given)})
        assert (answer.status_code, answer.json()["errors"][0]["field"][:7]) == (422, "consent"), (what, answer.text)
    done(without(ann, path, gift | {"consent": given}), 201)


def test_the_ledgers_interfaces_have_these_types() -> None:
    """Each kind of consent is written as the contracts write it, and wallets make the signer's digest of it."""
    sources = "".join(file.read_text() for file in Path("contracts/src").rglob("*.sol"))
    known = set(re.findall(r'keccak256\(\s*"(\w+\([^)]*\))"', sources))
    for kind, fields in TYPES.items():
        assert f"{kind.__name__}({fields})" in known


def test_numbers_that_javascript_would_round_are_texts() -> None:
    holder, ledger = "0x" + "ab" * 20, "0x" + "cd" * 20
    message = typed_data(consents.Gift((1 << 55) + 7, 3, holder, True, 9), 1, ledger)["message"]
    assert message == {"id": str((1 << 55) + 7), "epoch": 3, "to": holder, "custodied": True, "deadline": 9}
