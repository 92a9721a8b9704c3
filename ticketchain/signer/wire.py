"""What goes over the signer's sockets: frames of JSON, and the calls of its two doors.

A frame is its length (4 bytes, big-endian) and a JSON object: a request {id, do, with}, an answer {id, ok} or {id,
error: {code, status, detail, extra}}. A client may send many requests before it reads; answers carry their ids. What
stands in a request is read strictly (`codec`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any, NoReturn

from ticketchain.domain.consents import Attestation, Consent
from ticketchain.domain.errors import DomainError, Invalid
from ticketchain.domain.ports import SignedTransaction, TransactionFields, UnsignedTransaction
from ticketchain.domain.proofs import LogEntry, LogHead, Passkey, PasskeyProof, Registration, Standing
from ticketchain.signer.codec import Garbage, Read, reader, write
from ticketchain.signer.desk import Request

FANS, OPERATOR = "fans.sock", "operator.sock"
"""The doors: an API process gets the first only."""

MAX_REQUEST, MAX_ANSWER = 1 << 18, 1 << 20
"""Most bytes in a frame: a bulk of 250 lines takes about 90,000, a page of the log about 500,000."""

_HEAD = struct.Struct(">I")


@dataclass(frozen=True)
class Call:
    """One thing to ask for: how its arguments and its answer are read."""

    arguments: Mapping[str, Read]
    answer: Read


@dataclass(frozen=True)
class About:
    """What a signer signs for: its chain, and the pages that ask for passkeys (WebAuthn relying party id, origin).

    `stopped`: why its switch is off; None while it signs. `is_child`: it ends with the process that started it.
    """

    chain_id: int
    rp_id: str
    origin: str
    stopped: str | None
    is_child: bool


@dataclass(frozen=True)
class Addresses:
    """The operator's own (EIP-55)."""

    relayers: tuple[str, ...]
    attestor: str
    admin: str
    retired: tuple[str, ...]


def _call(answer: Any, /, **arguments: Any) -> Call:
    return Call({name: reader(kind) for name, kind in arguments.items()}, reader(answer))


_FEES = {"signer": str, "nonce": int, "max_fee": int, "priority_fee": int}

CALLS: Mapping[str, Mapping[str, Call]] = {
    FANS: {
        "wallet": _call(str, owner=str),
        "standing": _call(Standing, owner=str),
        "begin_enrolment": _call(bytes, owner=str),
        "enrol": _call(Passkey, owner=str, registration=Registration, label=str),
        "drop_passkey": _call(NoneType, owner=str, credential_id=bytes, proof=PasskeyProof),
        "drop_waiting": _call(NoneType, owner=str),
        "hold_moves": _call(datetime, owner=str, cause=str),
        "challenge": _call(bytes, consent=Consent),
        "consent": _call(bytes, address=str, consent=Consent, proof=PasskeyProof),
        "new_entry_key": _call(bytes, event_number=int),
        "sign_lease": _call(bytes, public_key=bytes, message=bytes),
        "login": _call(Passkey, owner=str, challenge=bytes, proof=PasskeyProof),
        "log_head": _call(LogHead),
        "about": _call(About),
    },
    OPERATOR: {
        "attest": _call(bytes, attestation=Attestation),
        "transaction": _call(SignedTransaction, transaction=UnsignedTransaction),
        "filler": _call(SignedTransaction, **_FEES),
        "anchor": _call(SignedTransaction, **_FEES, data=bytes),
        "deploy_transaction": _call(SignedTransaction, fields=TransactionFields),
        "check_log": _call(bool, published=LogHead),
        "log_entries": _call(tuple[LogEntry, ...], after=int, limit=int),
        "log_head": _call(LogHead),
        "addresses": _call(Addresses),
        "know": _call(NoneType, ledgers=tuple[str, ...]),
    },
}
"""What each door answers; nothing else can be asked for there."""


class Frames:
    """Cuts what was received into frames."""

    def __init__(self, limit: int) -> None:
        self._limit, self._received = limit, bytearray()

    def feed(self, received: bytes) -> None:
        """Takes bytes as they came."""
        self._received += received

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All whole frames so far. Raises `Garbage` for one that is too long, or no JSON object."""
        while len(self._received) >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._received)
            if size > self._limit:
                raise Garbage(f"a frame is longer than {self._limit:,} bytes")
            if len(self._received) < (end := _HEAD.size + size):
                return
            content = bytes(self._received[_HEAD.size : end])
            del self._received[:end]
            yield _parse(content)


def _no_integer(text: str) -> NoReturn:
    raise Garbage("a number is no integer")


_JSON = json.JSONDecoder(parse_float=_no_integer, parse_constant=_no_integer)


def _parse(content: bytes) -> dict[str, Any]:
    try:
        value = _JSON.decode(content.decode())
    except (ValueError, RecursionError):
        raise Garbage("a frame is no JSON") from None
    if type(value) is not dict:
        raise Garbage("a frame is no JSON object")
    return value


def frame(value: Mapping[str, Any]) -> bytes:
    """A frame ready to send."""
    content = json.dumps(value, separators=(",", ":")).encode()
    return _HEAD.pack(len(content)) + content


# ------------------------------------------------------------------------------------------------ requests and answers


def request(number: int, name: str, arguments: Mapping[str, Any]) -> bytes:
    """The frame of a request. Raises `Invalid` when it would be too long to be read."""
    sent = frame({"id": number, "do": name, "with": write(arguments)})
    if len(sent) > MAX_REQUEST:
        raise Invalid(name, f"{len(sent):,} bytes are more than the signer reads ({MAX_REQUEST:,}); ask for less")
    return sent


def read_id(value: Mapping[str, Any]) -> int:
    """The id of a request or an answer. Raises `Garbage`."""
    if type(number := value.get("id")) is not int or not 0 <= number < 1 << 53:
        raise Garbage("an id is no number")
    return number


def read_request(value: dict[str, Any], calls: Mapping[str, Call]) -> Request:
    """A request of this door. Raises `Garbage` for anything that it does not answer to, to the letter."""
    name, sent = value.get("do"), value.get("with")
    if len(value) != 3 or type(name) is not str or type(sent) is not dict:
        raise Garbage("a request has exactly the fields id, do, with")
    if (call := calls.get(name)) is None:
        raise Garbage(f"this door answers to {', '.join(sorted(calls))} only")
    if sent.keys() != call.arguments.keys():
        raise Garbage(f"{name} takes exactly {', '.join(call.arguments) or 'nothing'}")
    return Request(name, {key: read(sent[key]) for key, read in call.arguments.items()})


def answer(number: int, value: Any) -> bytes:
    """The frame of an answer."""
    return frame({"id": number, "ok": write(value)})


def refusal(number: int, error: DomainError) -> bytes:
    """The frame of an answer that says no: code and sentence of a domain error."""
    told = {"code": error.code, "status": error.status, "detail": error.detail, "extra": write(error.extra)}
    return frame({"id": number, "error": told})


def read_answer(value: dict[str, Any], call: Call) -> Any:
    """What was answered. Raises the `DomainError` that was answered instead, and `Garbage`."""
    if "ok" in value:
        return call.answer(value["ok"])
    told = value.get("error")
    if type(told) is not dict or told.keys() != {"code", "status", "detail", "extra"}:
        raise Garbage("an answer has neither ok nor error")
    raise _error(**told)


def _error(code: str, status: int, detail: str, extra: dict[str, Any]) -> DomainError:
    """The domain error of this code; one that is not known here is a plain `DomainError` with code and status."""
    found = next((kind for kind in _below(DomainError) if kind.__dict__.get("code") == code), DomainError)
    error = found.__new__(found)
    DomainError.__init__(error, detail, **extra)
    if found is DomainError:
        error.__dict__.update(code=code, status=status)
    return error


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
