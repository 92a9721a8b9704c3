"""The signer's server: a thread that takes what all connections have sent, hands it to the desk as one batch (one
transaction of the vault, one fsync) and answers.

Nobody waits for anybody else: sockets never block, a client that does not read is not read from either, and what is
torn, too long or no request ends that connection only. Who may open a door is up to its file's owner, group and mode.
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeGuard

from ticketchain.domain.errors import DomainError
from ticketchain.signer import wire
from ticketchain.signer.codec import Garbage
from ticketchain.signer.desk import Request, SigningDesk

MOST_CONNECTIONS = 256
"""At each door; one more is closed at once."""

MOST_AT_ONCE = 64
"""Requests of one connection in a batch, so that one that sends thousands does not make the others wait."""

_CHUNK = 1 << 16

log = logging.getLogger(__name__)


class BadRequest(DomainError):
    """A frame that is no request of this door; another version of ticketchain may have sent it."""

    code = "bad_request"
    status = 500


class SignerFailed(DomainError):
    """The signer could not do it, for a reason of its own; nothing was signed."""

    code = "signer_failed"
    status = 503


@dataclass
class Door:
    """A socket, and what can be asked for there."""

    listener: socket.socket
    calls: Mapping[str, wire.Call]
    visitors: int = 0


@dataclass(eq=False)
class Connection:
    """A client, what it has sent and what it has yet to read."""

    socket: socket.socket
    door: Door
    frames: wire.Frames = field(default_factory=lambda: wire.Frames(wire.MAX_REQUEST))
    unread: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Asked:
    """A request and who sent it; in the place of one that could not be read, its refusal."""

    connection: Connection
    id: int
    request: Request | DomainError


class Server:
    """Serves a desk at its doors, until `stop`. `beside`: calls that the desk itself does not have, by name."""

    def __init__(self, desk: SigningDesk, doors: Sequence[Door], beside: Mapping[str, Callable[..., Any]]) -> None:
        self._desk, self._doors, self._beside = desk, doors, beside
        self._selector = selectors.DefaultSelector()
        self._heard: dict[Connection, None] = {}
        self._connections: set[Connection] = set()
        self._urgent: dict[int, Callable[[], None]] = {}
        self._stopped = False
        for door in doors:
            self._selector.register(door.listener, selectors.EVENT_READ, partial(self._accept, door))

    def watch(self, descriptor: int, call: Callable[[], None]) -> None:
        """Calls this as soon as something can be read there, before anything else that came at the same time."""
        self._urgent[descriptor] = call
        self._selector.register(descriptor, selectors.EVENT_READ)

    def stop(self) -> None:
        """Ends `serve` before its next batch."""
        self._stopped = True

    def serve(self) -> None:
        """Batch after batch until somebody stops it; then all connections and doors are closed."""
        try:
            while not self._stopped:
                self.step(None)
        finally:
            for connection in list(self._connections):
                self._end(connection)
            for door in self._doors:
                door.listener.close()
            self._selector.close()

    def step(self, patience: float | None) -> None:
        """One batch: waits for something to happen, at most `patience` seconds, and does all that was asked."""
        events = self._selector.select(0 if self._ready() else patience)
        for key, _ in events:
            if key.fd in self._urgent:
                self._urgent[key.fd]()
        if self._stopped:
            return
        for key, _ in events:
            if key.fd not in self._urgent:
                key.data()
        asked = [each for connection in self._ready() for each in self._requests(connection)]
        for each, answer in zip(asked, self._answers(asked), strict=True):
            self._say(each.connection, answer)
        for connection in {each.connection: None for each in asked}:
            self._flush(connection)

    def _ready(self) -> list[Connection]:
        """Those that have asked for something, and have read what they were answered before."""
        return [connection for connection in self._heard if not connection.unread]

    # -------------------------------------------------------------------------------------------- connections

    def _accept(self, door: Door) -> None:
        with suppress(OSError):
            client, _ = door.listener.accept()
            client.setblocking(False)
            if door.visitors >= MOST_CONNECTIONS:
                client.close()
                return
            connection = Connection(client, door)
            door.visitors += 1
            self._connections.add(connection)
            self._selector.register(client, selectors.EVENT_READ, partial(self._visit, connection))

    def _visit(self, connection: Connection) -> None:
        """Something can be read from it, or written to it."""
        if connection.unread:
            self._flush(connection)
        if connection in self._connections and not connection.unread and connection not in self._heard:
            self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            received = connection.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._end(connection)
            return
        connection.frames.feed(received)
        self._heard[connection] = None

    def _requests(self, connection: Connection) -> list[Asked]:
        """What it asks for in this batch; the rest of what it has sent is for the next one."""
        try:
            asked = [self._asked(connection, value) for value in islice(connection.frames, MOST_AT_ONCE)]
        except Garbage as error:
            log.warning("a connection was ended: %s", error)
            self._end(connection)
            return []
        if len(asked) < MOST_AT_ONCE:
            del self._heard[connection]
        return asked

    def _asked(self, connection: Connection, value: dict[str, Any]) -> Asked:
        number = wire.read_id(value)
        try:
            return Asked(connection, number, wire.read_request(value, connection.door.calls))
        except Garbage as error:
            return Asked(connection, number, BadRequest(f"the signer does not understand this request: {error}"))

    def _say(self, connection: Connection, answer: bytes) -> None:
        if connection in self._connections:
            connection.unread += answer

    def _flush(self, connection: Connection) -> None:
        """Sends what it will take now; while something is left, it is not listened to."""
        if connection not in self._connections:
            return
        try:
            while connection.unread:
                del connection.unread[: connection.socket.send(connection.unread)]
        except BlockingIOError:
            pass
        except OSError:
            self._end(connection)
            return
        wanted = selectors.EVENT_WRITE if connection.unread else selectors.EVENT_READ
        self._selector.modify(connection.socket, wanted, partial(self._visit, connection))

    def _end(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._heard.pop(connection, None)
        connection.door.visitors -= 1
        self._selector.unregister(connection.socket)
        connection.socket.close()

    # -------------------------------------------------------------------------------------------- work

    def _answers(self, asked: Sequence[Asked]) -> list[bytes]:
        """The answers to a batch; all that was done is durable by then."""
        jobs = [each.request for each in asked if self._is_job(each.request)]
        done = iter(self._done(jobs) if jobs else ())
        answers = (next(done) if self._is_job(each.request) else self._at_once(each.request) for each in asked)
        return [_frame(each.id, answer) for each, answer in zip(asked, answers, strict=True)]

    def _is_job(self, request: Request | DomainError) -> TypeGuard[Request]:
        return isinstance(request, Request) and request.method not in self._beside

    def _done(self, jobs: Sequence[Request]) -> Sequence[Any]:
        try:
            return self._desk.handle_all(jobs)
        except DomainError as error:
            return [error] * len(jobs)
        except Exception as error:
            log.exception("a batch failed")
            return [_failed(error)] * len(jobs)

    def _at_once(self, request: Request | DomainError) -> Any:
        """What is asked beside the desk, or a refusal that stands already."""
        if isinstance(request, DomainError):
            return request
        try:
            return self._beside[request.method](**request.arguments)
        except DomainError as error:
            return error


def _failed(error: Exception) -> SignerFailed:
    return SignerFailed(f"the signer failed ({type(error).__name__}), its log says where; nothing was signed")


def _frame(number: int, answer: Any) -> bytes:
    if isinstance(answer, DomainError):
        return wire.refusal(number, answer)
    told = wire.answer(number, answer)
    if len(told) > wire.MAX_ANSWER:
        return wire.refusal(number, BadRequest("the answer is longer than a client reads; ask for less"))
    return told
