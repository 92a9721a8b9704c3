"""The main job through HTTP: issue, buy, give, resell, return, enter."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.api.people import CSV, FACE, Shop, done, event_body, manifest, refused
from ticketchain.gate import Lease, build_code, sign_step, step_at


def test_an_event_opens_and_its_manifest_becomes_seats_on_sale(shop: Shop) -> None:
    organizer = shop.organizer()
    answer = organizer.post("/v1/events", json=event_body())
    event = done(answer, 201)
    assert event["state"] == "opening" and event["schedule"]["doors_at"] == "2026-06-01T18:00:00+00:00"
    assert answer.headers["location"] == f"/v1/events/{event['id']}"
    path = f"/v1/events/{event['id']}"
    refused(organizer.post(f"{path}/batches", content=manifest(3), headers=CSV), 409, "conflict")
    shop.chain.work()
    assert done(shop.client.get(path), 200)["state"] == "open"
    issued = done(organizer.post(f"{path}/batches", content=manifest(3), headers=CSV), 202)
    assert (issued["tickets"], issued["issued"]) == (3, False)
    shop.chain.work()
    batches = done(shop.client.get(f"{path}/batches"), 200)["items"]
    assert [b["issued"] for b in batches] == [True]
    document = shop.client.get(f"/v1/contents/{batches[0]['cid']}")
    assert document.status_code == 200 and document.headers["content-type"] == "application/jsonl"
    stock = done(shop.client.get(f"{path}/stock"), 200)["seats"]
    assert stock == [{"price_class": "A", "supply_class": "public", "state": "available", "quantity": 3}]


def test_a_fan_buys_gives_and_returns(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    order = shop.buy(ann, event, 2)
    assert (order["state"], order["captured"], order["refunds"]) == ("delivered", 2 * FACE, [])
    first, second = [line["ticket"] for line in order["lines"]]
    assert [x["id"] for x in done(ann.get("/v1/tickets"), 200)["items"]] == [first, second]

    gift = ann.post(f"/v1/tickets/{first}/gifts", json={"to": bob.id})
    move = done(gift, 201)
    shop.chain.work()
    assert done(ann.get(gift.headers["location"]), 200)["state"] == "done" and move["state"] == "sending"
    assert done(shop.client.get(f"/v1/tickets/{first}"), 200)["holder"] == bob.address
    story = done(shop.client.get(f"/v1/tickets/{first}/history"), 200)["history"]
    assert [(x["what"], x["to"], x["finality"]) for x in story] == [
        ("Delivered", ann.address, "final"),
        ("Given", bob.address, "final"),
    ]

    quote = done(ann.get(f"/v1/tickets/{second}/refund-quote"), 200)
    assert (quote["paid"], quote["amount"], quote["currency"]) == (FACE, FACE - FACE // 10, "EUR")
    done(ann.post(f"/v1/tickets/{second}/refunds"), 201)
    shop.chain.work()
    assert done(ann.get(f"/v1/orders/{order['id']}"), 200)["refunds"][0]["amount"] == quote["amount"]
    refused(bob.post(f"/v1/tickets/{first}/refunds"), 409, "conflict")  # a gift: no money of his


def test_a_fan_resells_under_the_cap(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    ticket = shop.buy(ann, event)["lines"][0]["ticket"]
    shop.ledger.cap = 7_150
    problem = refused(ann.post(f"/v1/tickets/{ticket}/listings", json=offer(7_151)), 409, "ledger_refused")
    assert problem["reason"] == "Ledger_OverCap" and problem["arguments"]["cap"] == 7_150
    answer = ann.post(f"/v1/tickets/{ticket}/listings", json=offer(7_150))
    listing = done(answer, 201)
    assert done(shop.client.get(answer.headers["location"]), 200) == listing
    assert done(shop.client.get(f"/v1/events/{event}/listings"), 200)["items"] == [listing]
    refused(ann.post("/v1/orders", json={"listing_id": listing["id"]}), 409, "conflict")
    order = done(bob.post("/v1/orders", json={"listing_id": listing["id"]}), 201)
    assert (order["kind"], order["total"]) == ("resale", 7_150)
    refused(ann.post(f"/v1/listings/{listing['id']}/revocation"), 409, "conflict")
    assert shop.settle_order(bob, order["id"])["state"] == "delivered"
    assert done(shop.client.get(f"/v1/listings/{listing['id']}"), 200)["state"] == "sold"
    again = done(bob.post(f"/v1/tickets/{ticket}/listings", json=offer(100)), 201)
    assert done(bob.post(f"/v1/listings/{again['id']}/revocation"), 200)["state"] == "withdrawing"
    refused(bob.post(f"/v1/tickets/{ticket}/listings", json=offer(110)), 409, "conflict")
    refused(bob.post(f"/v1/tickets/{ticket}/gifts", json={"to": ann.id}), 409, "conflict")
    shop.chain.work()
    assert done(shop.client.get(f"/v1/listings/{again['id']}"), 200)["state"] == "ended"
    assert done(bob.post(f"/v1/tickets/{ticket}/listings", json=offer(110)), 201)["state"] == "open"


def test_a_hold_can_be_given_back(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    tickets = shop.issue(organizer, event, 2)
    answer = ann.post(f"/v1/events/{event}/holds", json={"tickets": tickets})
    done(answer, 201)
    refused(shop.fan().post(f"/v1/events/{event}/holds", json={"tickets": tickets[:1]}), 409, "seat_taken")
    assert ann.delete(answer.headers["location"]).status_code == 204
    assert done(ann.get(answer.headers["location"]), 200)["state"] == "ended"
    done(shop.fan().post(f"/v1/events/{event}/holds", json={"tickets": tickets}), 201)


def test_a_phone_opens_the_gate_once(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    ticket = shop.buy(ann, event)["lines"][0]["ticket"]
    phone = Ed25519PrivateKey.generate()
    key = {"algorithm": "ed25519", "device_key": phone.public_key().public_bytes_raw().hex()}
    refused(ann.post(f"/v1/tickets/{ticket}/entry-lease", json=key), 409, "conflict")
    shop.clock.advance(seconds=60)
    done(organizer.post(f"/v1/events/{event}/close-moves", json={"reason": "doors"}), 202)
    shop.chain.work()
    lease = done(ann.post(f"/v1/tickets/{ticket}/entry-lease", json=key), 200)
    code = code_of(shop, phone, lease)
    steward = shop.staff(organizer, "gate-steward")
    first = done(steward.post("/v1/gate/scans", json=scan(event, code, "1")), 200)
    assert (first["outcome"], first["admit"], first["ticket"]) == ("admitted", True, ticket)
    assert done(steward.post("/v1/gate/scans", json=scan(event, code, "1")), 200) == first
    assert done(steward.post("/v1/gate/scans", json=scan(event, code, "2")), 200)["outcome"] == "already_used"
    for number, junk in enumerate(("", "junk", "\x00\U0001f600", "A" * 4000, code[:-1], code.swapcase())):
        seen = done(steward.post("/v1/gate/scans", json=scan(event, junk, f"junk {number}")), 200)
        assert seen["outcome"] in ("not_ours", "bad_device_signature", "already_used")
    refused(steward.post("/v1/gate/scans", json=scan(event, "junk", "1")), 422, "idempotency_key_reused")
    counts = done(steward.get(f"/v1/gate/events/{event}/counts"), 200)["outcomes"]
    assert counts["admitted"] == 1
    shop.chain.work()
    assert done(shop.client.get(f"/v1/tickets/{ticket}"), 200)["state"] == "redeemed"


def test_a_phone_with_p256_sends_its_key_as_browsers_export_it(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    ticket = shop.buy(ann, event)["lines"][0]["ticket"]
    shop.clock.advance(seconds=60)
    done(organizer.post(f"/v1/events/{event}/close-moves", json={"reason": "doors"}), 202)
    shop.chain.work()
    phone = ec.generate_private_key(ec.SECP256R1())
    raw = phone.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    path = f"/v1/tickets/{ticket}/entry-lease"
    lease = done(ann.post(path, json={"algorithm": "p256", "device_key": raw.hex()}), 200)
    steward = shop.staff(organizer, "gate-steward")
    code = code_of(shop, phone, lease)
    assert done(steward.post("/v1/gate/scans", json=scan(event, code, "1")), 200)["admit"]
    for bad in (raw[:-1] + bytes([raw[-1] ^ 1]), b"\x05" + raw[1:33], bytes(32)):
        refused(ann.post(path, json={"algorithm": "p256", "device_key": bad.hex()}), 422, "invalid")


def test_royalties_are_released_once_a_key(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    path = f"/v1/events/{event}/release-royalties"
    before = shop.counts()["outbox"]
    for _ in range(2):
        done(organizer.post(path, key="r-1"), 202)
    assert shop.counts()["outbox"] == before + 1


def offer(price: int) -> dict[str, object]:
    return {"price": price, "currency": "EUR"}


def scan(event: str, code: str, nonce: str) -> dict[str, str]:
    return {"event_id": event, "code": code, "gate": "North", "nonce": nonce}


def code_of(shop: Shop, phone: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, lease: dict[str, str]) -> str:
    packed, signature = bytes.fromhex(lease["lease"]), bytes.fromhex(lease["signature"])
    step = step_at(int(shop.clock().timestamp()))
    return build_code(Lease.unpack(packed), signature, step, sign_step(phone, packed, signature, step))
