"""An IPFS node that is down, silent, lying, broken or no node at all: a clear message, and no wrong byte."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ticketchain.metadata.cid import cid_of
from ticketchain.metadata.ipfs import IpfsStore
from ticketchain.metadata.store import (
    MAX_BLOCK_BYTES,
    ContentError,
    ContentNotFound,
    CorruptContent,
    StoreUnavailable,
)

DATA = b"seats of a hall"
CID = cid_of(DATA)
Answer = Callable[[BaseHTTPRequestHandler, str], None]


@contextmanager
def serving(answer: Answer) -> Iterator[IpfsStore]:
    """A store on an HTTP server that answers every call with `answer(handler, call)`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            answer(self, self.path.removeprefix("/api/v0/").split("?")[0])
            self.close_connection = True

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """The store hung up before the answer, as it should."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    store = IpfsStore(f"/ip4/127.0.0.1/tcp/{server.server_port}/http", timeout=0.5)
    try:
        yield store
    finally:
        store.close()
        server.shutdown()
        server.server_close()
        thread.join()


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def not_pinned(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 500, json.dumps({"Message": f"path '{CID}' is not pinned", "Type": "error"}).encode())


def each_call(store: IpfsStore) -> list[Callable[[], object]]:
    return [lambda: store.put(DATA), lambda: store.get(CID), lambda: store.has(CID), lambda: store.pin(CID)]


def errors_of(store: IpfsStore) -> list[ContentError]:
    errors = []
    for call in each_call(store):
        with pytest.raises(ContentError) as caught:
            call()
        errors.append(caught.value)
    return errors


def test_a_node_that_is_down_is_said() -> None:
    with serving(lambda handler, call: None) as gone:
        pass
    for error in errors_of(gone):
        assert isinstance(error, StoreUnavailable) and "no IPFS node answers at /ip4/127.0.0.1/tcp/" in error.detail


def test_a_silent_node_is_given_up_in_time() -> None:
    with serving(lambda handler, call: time.sleep(2)) as store:
        started = time.monotonic()
        for error in errors_of(store):
            assert isinstance(error, StoreUnavailable) and "within 0.5 s" in error.detail
        assert time.monotonic() - started < 6


def test_a_node_that_searches_for_ever_does_not_have_it() -> None:
    def searching(handler: BaseHTTPRequestHandler, call: str) -> None:
        not_pinned(handler) if call == "pin/ls" else time.sleep(2)

    with serving(searching) as store, pytest.raises(ContentNotFound, match="no other node gave it"):
        store.get(CID)


@pytest.mark.parametrize("lie", [b"", b"other seats", DATA + b"!", bytes(MAX_BLOCK_BYTES + 1)])
def test_a_lying_node_is_caught(lie: bytes) -> None:
    with serving(lambda handler, call: say(handler, 200, lie)) as store, pytest.raises(CorruptContent, match=CID):
        store.get(CID)


def test_an_answer_that_breaks_off_is_said() -> None:
    with (
        serving(lambda handler, call: say(handler, 200, DATA[:5], length=len(DATA))) as store,
        pytest.raises(ContentError),
    ):
        store.get(CID)


def test_a_dripping_answer_is_given_up() -> None:
    def drip(handler: BaseHTTPRequestHandler, call: str) -> None:
        if call != "block/get":
            return say(handler, 200, b'{"Keys": {}}')
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(15):
            handler.wfile.write(b"1\r\nx\r\n")
            time.sleep(0.1)
        return None

    with serving(drip) as store, pytest.raises(StoreUnavailable, match="took over"):
        store.get(CID)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_something_else_at_the_address_is_said(status: int) -> None:
    with serving(lambda handler, call: say(handler, status, b"<html>It works!</html>")) as store:
        put_error = errors_of_put(store)
        assert "no IPFS node" in put_error.detail


def errors_of_put(store: IpfsStore) -> ContentError:
    with pytest.raises(StoreUnavailable) as caught:
        store.put(DATA)
    return caught.value


def test_a_node_that_refuses_is_quoted() -> None:
    refusal = json.dumps({"Message": "disk quota exceeded", "Type": "error"}).encode()
    with serving(lambda handler, call: say(handler, 500, refusal)) as store:
        assert "refused: disk quota exceeded" in errors_of_put(store).detail


def test_a_node_that_stores_under_another_id_is_refused() -> None:
    answer = json.dumps({"Key": "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4", "Size": 1}).encode()
    with serving(lambda handler, call: say(handler, 200, answer)) as store:
        assert "CIDv1" in errors_of_put(store).detail


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="IPFS address"):
        IpfsStore("localhost:5001")
