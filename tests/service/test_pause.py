"""What is paid when its event is paused is delivered when it goes on, and nobody's money goes back for that."""

from __future__ import annotations

import pytest

from tests.service.people import Event, Fan, idle, request, work
from ticketchain.context import Context
from ticketchain.domain.policy import EventStatus
from ticketchain.store import claims, events
from ticketchain.usecases import changing


def told(service: Context) -> tuple[str, str]:
    """The order's state while its event is paused, and after that."""
    event, fan = Event.open(service, rows=1), Fan(service)
    order = fan.order(event, 2)
    changing.pause(service.parts, request(event.organizer), event.id, "a rumour")
    idle(service)
    with service.parts.store.read() as tx:
        row = events.event(tx, event.id)
    assert row is not None and row.status == EventStatus.PAUSED
    fan.pay(order)
    work(service, rounds=30)
    paused = fan.look(order)["state"]
    changing.resume(service.parts, request(event.organizer), event.id, "no more than a rumour")
    idle(service)
    return paused, fan.look(order)["state"]


def test_paid_tickets_of_a_paused_event_wait_until_it_goes_on(service: Context) -> None:
    assert told(service) == ("paid", "delivered")


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_check_convicts_who_sends_them_nevertheless(service: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "SALES", ())
    assert told(service) == ("refunded", "refunded")
