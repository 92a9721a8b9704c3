"""Webhooks go out over real HTTP, signed, in order, and again until they are answered with 2xx."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.payments.conftest import Clock
from ticketchain.domain.ports import Faults, Webhook
from ticketchain.payments.delivery import BATCH, LEASE, WebhookSender, pause
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.store import sandbox as rows
from ticketchain.store.engine import Store

SECRETS = ["new", "old"]


class Receiver(ThreadingHTTPServer):
    """A shop that answers as told, and remembers what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []  # the next answers; then 204
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/webhooks/sandbox"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.got.append((dict(self.headers), body))
        self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sender(store: Store, receiver: Receiver, clock: Clock) -> Iterator[WebhookSender]:
    sender = WebhookSender(store, receiver.url, SECRETS, clock)
    yield sender
    sender.close()


def pay(sandbox: Sandbox, faults: Faults | None = None, key: str = "pay_1") -> str:
    ref = sandbox.create_charge(key, 4500, "EUR", "").ref
    sandbox.pay(ref, faults or Faults())
    return ref


def verified(sandbox: Sandbox, receiver: Receiver, clock: Clock, secret: str = "new") -> list[Webhook]:
    provider = SandboxProvider(sandbox, [secret], clock)
    return [provider.verify_webhook(headers, body) for headers, body in receiver.got]


def test_a_payment_is_told_once_and_verifies_with_each_secret(
    sandbox: Sandbox, sender: WebhookSender, receiver: Receiver, clock: Clock
) -> None:
    assert sender.step() is False
    ref = pay(sandbox)
    assert sender.step() is True
    assert sender.step() is False
    for secret in SECRETS:
        assert [webhook.charge for webhook in verified(sandbox, receiver, clock, secret)] == [ref]


def test_a_webhook_is_retried_until_2xx(
    sandbox: Sandbox, sender: WebhookSender, receiver: Receiver, clock: Clock
) -> None:
    receiver.statuses = [500, 404, 307]
    pay(sandbox)
    for attempts in range(4):
        assert sender.step() is True
        assert sender.step() is False  # not before its pause is over
        clock.forward(pause(attempts).total_seconds())
    clock.forward(7 * 24 * 3600)
    assert sender.step() is False
    bodies = [body for _, body in receiver.got]
    assert (len(bodies), len(set(bodies))) == (4, 1)


def test_a_retry_is_signed_anew_so_that_it_is_never_too_old(
    sandbox: Sandbox, sender: WebhookSender, receiver: Receiver, clock: Clock
) -> None:
    receiver.statuses = [503]
    pay(sandbox)
    sender.step()
    clock.forward(72 * 3600)
    sender.step()
    provider = SandboxProvider(sandbox, SECRETS, clock)
    assert provider.verify_webhook(*receiver.got[1]).event_id
    with pytest.raises(Exception, match="300 s"):
        provider.verify_webhook(*receiver.got[0])


def test_nobody_listening_is_not_an_error_and_is_tried_again(
    sandbox: Sandbox, store: Store, sender: WebhookSender, receiver: Receiver, clock: Clock
) -> None:
    closed = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    closed.server_close()
    lost = WebhookSender(store, f"http://127.0.0.1:{closed.server_address[1]}/", SECRETS, clock)
    pay(sandbox, Faults(repeat=3))
    assert lost.step() is True
    lost.close()
    clock.forward(pause(0).total_seconds())
    assert sender.step() is True
    assert len(receiver.got) == 3


def test_late_webhooks_wait(sandbox: Sandbox, sender: WebhookSender, receiver: Receiver, clock: Clock) -> None:
    pay(sandbox, Faults(delay=60))
    assert sender.step() is False
    clock.forward(60)
    assert sender.step() is True
    assert len(receiver.got) == 1


def test_repeated_and_shuffled_webhooks_arrive_so(
    store: Store, sandbox: Sandbox, receiver: Receiver, clock: Clock
) -> None:
    pay(sandbox, Faults(double=True, repeat=2, shuffle=True))
    with closing(WebhookSender(store, receiver.url, SECRETS, clock, side_by_side=1)) as orderly:
        orderly.step()
    first, second, third, fourth = (webhook.event_id for webhook in verified(sandbox, receiver, clock))
    assert first == second > third == fourth


def test_many_messages_go_out_in_batches(sandbox: Sandbox, sender: WebhookSender, receiver: Receiver) -> None:
    for n in range(3):
        pay(sandbox, Faults(repeat=BATCH - 1), key=f"pay_{n}")
    steps = [sender.step() for _ in range(4)]
    assert steps == [True, True, True, False]
    assert len(receiver.got) == 3 * (BATCH - 1)


def test_a_sender_that_died_after_claiming_loses_nothing(
    sandbox: Sandbox, store: Store, sender: WebhookSender, receiver: Receiver, clock: Clock
) -> None:
    pay(sandbox)
    with store.begin() as tx:
        assert len(rows.claim_messages(tx, clock(), clock() + LEASE, BATCH)) == 1
    assert sender.step() is False  # the other one may still be at it
    clock.forward(LEASE.total_seconds())
    assert sender.step() is True
    assert len(receiver.got) == 1


def test_two_senders_at_once_send_each_message_once(
    sandbox: Sandbox, store: Store, receiver: Receiver, clock: Clock
) -> None:
    for n in range(30):
        pay(sandbox, key=f"pay_{n}")
    senders = [WebhookSender(store, receiver.url, SECRETS, clock) for _ in range(2)]

    def run(sender: WebhookSender) -> None:
        while sender.step():
            pass

    threads = [threading.Thread(target=run, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sender in senders:
        sender.close()
    while_left = WebhookSender(store, receiver.url, SECRETS, clock)
    while while_left.step():
        pass
    while_left.close()
    assert len(receiver.got) == len({body for _, body in receiver.got}) == 30


def test_without_a_secret_there_is_no_sender(store: Store, clock: Clock) -> None:
    for secrets in ([], [""]):
        with pytest.raises(ValueError, match="no secret"):
            WebhookSender(store, "http://127.0.0.1/", secrets, clock)


def test_pauses_double_up_to_an_hour() -> None:
    seconds = [pause(n).total_seconds() for n in (0, 1, 2, 12, 13, 100)]
    assert seconds == [0.5, 1, 2, 2048, 3600, 3600]
