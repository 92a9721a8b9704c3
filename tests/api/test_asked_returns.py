"""A return that the box office asks for: the holder consents in time and to exactly that, or nothing moves."""

from __future__ import annotations

from typing import Any

from tests.api.people import Person, Shop, done, refused
from tests.api.test_changes import buy, free, mine, money_back, open_event
from tests.api.test_consent import without
from ticketchain.usecases import refund


def ask(desk: Person, ticket: str, **body: Any) -> dict[str, Any]:
    """The box office asks for a ticket."""
    return done(desk.post(f"/v1/tickets/{ticket}/desk-refunds", json={"reason": "ill"} | body), 201)


def test_it_waits_for_the_holder_who_sees_what_for(shop: Shop) -> None:
    organizer, ann, eve = shop.organizer(), shop.fan(), shop.fan()
    event, desk = open_event(shop, organizer), shop.staff(organizer, "box-office")
    ticket, order = buy(shop, ann, event)
    move = ask(desk, ticket, amount=6_500)
    assert (move["state"], move["amount"], move["reason"]) == ("asked", 6_500, "ill") and move["expires_at"]
    shop.chain.work()
    assert (mine(ann), money_back(ann, order), free(shop, event)["A"]) == ([ticket], [], 2), "nothing has moved"
    assert done(ann.get("/v1/moves?state=asked"), 200)["items"] == [move]
    told = [{"kind": "return", "state": "asked", "moves": 1, "amount": 6_500}]
    assert done(organizer.get(f"/v1/events/{event}/books"), 200)["moves"] == told
    assert done(eve.get("/v1/moves"), 200)["items"] == []
    path = f"/v1/moves/{move['id']}/consent"
    refused(eve.post(path), 404, "not_found")
    refused(desk.post(path), 403, "forbidden")
    wanted = refused(without(ann, path), 403, "consent_required")["consent"]
    assert wanted["typed_data"]["message"]["amount"] == 6_500
    assert done(ann.post(path), 200)["state"] == "sending"
    refused(ann.post(path), 409, "conflict")
    shop.chain.work()
    assert done(desk.get(f"/v1/desk-refunds/{move['id']}"), 200)["state"] == "done"
    assert (mine(ann), money_back(ann, order), free(shop, event)["A"]) == ([], [("returned", 6_500)], 3)
    assert done(ann.get("/v1/moves?state=asked"), 200)["items"] == []


def test_it_ends_unanswered(shop: Shop) -> None:
    """Control: just before that moment it is good."""
    organizer, ann = shop.organizer(), shop.fan()
    event, desk = open_event(shop, organizer), shop.staff(organizer, "box-office")
    (one, _), (two, _) = (buy(shop, ann, event) for _ in range(2))
    first, second = (f"/v1/moves/{ask(desk, ticket)['id']}" for ticket in (one, two))
    shop.clock.advance(hours=23, minutes=59)
    assert not refund.end_unanswered(shop.parts)
    done(ann.post(f"{first}/consent"), 200)
    shop.clock.advance(minutes=1)
    refused(ann.post(f"{second}/consent"), 409, "expired")
    assert refund.end_unanswered(shop.parts) and not refund.end_unanswered(shop.parts)
    assert done(ann.get(second), 200)["state"] == "expired"
    refused(ann.post(f"{second}/consent"), 409, "expired")
    shop.chain.work()
    assert mine(ann) == [two]


def test_it_binds_nobody_and_is_worth_nothing_once_the_ticket_has_moved(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event, desk = open_event(shop, organizer), shop.staff(organizer, "box-office")
    ticket, order = buy(shop, ann, event)
    move = ask(desk, ticket)
    done(ann.post(f"/v1/tickets/{ticket}/gifts", json={"to": bob.id}), 201)
    path = f"/v1/moves/{move['id']}/consent"
    refused(ann.post(path), 409, "conflict")  # the gift is on its way
    shop.chain.work()
    refused(ann.post(path), 404, "not_found")
    done(bob.post(f"/v1/tickets/{ticket}/gifts", json={"to": ann.id}), 201)
    shop.chain.work()
    assert "has moved" in refused(ann.post(path), 409, "conflict")["detail"]
    assert (mine(ann), money_back(ann, order)) == ([ticket], [])


def test_asking_again_replaces_what_was_asked(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event, desk = open_event(shop, organizer), shop.staff(organizer, "box-office")
    ticket, order = buy(shop, ann, event)
    less, more = ask(desk, ticket), ask(desk, ticket, amount=6_700)
    assert done(ann.get("/v1/moves?state=asked"), 200)["items"] == [more]
    refused(ann.post(f"/v1/moves/{less['id']}/consent"), 409, "expired")
    done(ann.post(f"/v1/moves/{more['id']}/consent"), 200)
    shop.chain.work()
    assert money_back(ann, order) == [("returned", 6_700)]
