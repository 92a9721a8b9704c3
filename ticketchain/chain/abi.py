"""The ledger's words as bytes and back: calls, results, logs and errors, from the shipped ABI. No network.

Structs come back as dicts by field name (nested ones too), arrays as tuples, addresses in EIP-55, `bytes…` as
bytes; the contract's packed words (TicketWord, DeliveryTarget, …) are plain integers here. Structs go in as
dicts or as tuples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from eth_abi.abi import encode
from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError
from eth_abi.registry import registry
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from ticketchain.artifacts import load
from ticketchain.chain.types import Log

Inputs = Sequence[Mapping[str, Any]]
_BUILT_IN = (
    {"name": "Error", "inputs": [{"name": "message", "type": "string"}]},  # revert("text")
    {
        "name": "Panic",
        "inputs": [{"name": "code", "type": "uint256"}],
    },  # assert, overflow, division by zero …
)


class _AnyText(StringDecoder):
    """Anybody can log any bytes as a reason for an event of their own: what is no text must not stop who reads on."""

    def decode(self, stream: Any) -> str:
        text: str = super().decode(stream)  # type: ignore[no-untyped-call]
        return text.replace("\0", "\ufffd")  # which PostgreSQL does not store


_lenient: Any = registry.copy()  # type: ignore[no-untyped-call]
_lenient.unregister_decoder("string")
_lenient.register_decoder("string", _AnyText("replace"))  # type: ignore[no-untyped-call]
decode = ABIDecoder(_lenient).decode


class UnknownName(LookupError):
    """The ledger's ABI has no function or event of this name with so many arguments."""


@dataclass(frozen=True, slots=True)
class LedgerLog:
    """An event of the ledger: its name, its arguments by name, and the log entry it was decoded from."""

    name: str
    args: dict[str, Any]
    log: Log


@dataclass(frozen=True, slots=True)
class LedgerProblem:
    """Why the ledger refuses: the error's name and arguments; "Unknown" if the error is not in the ABI (e.g.
    a token's).
    """

    name: str
    args: dict[str, Any]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Function:
    selector: bytes
    inputs: Inputs
    outputs: Inputs
    input_types: tuple[str, ...]
    output_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    indexed: Inputs
    plain: Inputs
    plain_types: tuple[str, ...]
    order: tuple[str, ...]


def encode_call(function: str, *args: Any) -> bytes:
    """Encodes a call. Raises UnknownName; eth_abi's EncodingError for a value that does not fit."""
    found = _function(function, len(args))
    values = [_plain(value, part) for value, part in zip(args, found.inputs, strict=True)]
    return found.selector + encode(found.input_types, values)


def decode_result(function: str, data: bytes) -> Any:
    """Decodes what a call returned: the value itself if the function has one output, else a tuple."""
    found = _function(function, None)
    values = decode(found.output_types, data)
    named = tuple(_named(value, part) for value, part in zip(values, found.outputs, strict=True))
    return named[0] if len(named) == 1 else named


def decode_log(log: Log) -> LedgerLog | None:
    """Decodes a log entry; None if it is no event of the ledger's ABI."""
    event = _events().get(log.topics[0]) if log.topics else None
    if event is None or len(log.topics) != len(event.indexed) + 1:
        return None
    args: dict[str, Any] = {}
    for part, topic in zip(event.indexed, log.topics[1:], strict=True):
        args[part["name"]] = _named(decode([part["type"]], topic)[0], part)
    for part, value in zip(event.plain, decode(event.plain_types, log.data), strict=True):
        args[part["name"]] = _named(value, part)
    return LedgerLog(event.name, {name: args[name] for name in event.order}, log)


def decode_problem(data: bytes) -> LedgerProblem | None:
    """Decodes revert data or one entry of `bytes[] problems`; None for empty data, which means no problem (or
    no reason).
    """
    if not data:
        return None
    known = _errors().get(data[:4])
    if known is None:
        return LedgerProblem("Unknown", {}, data)
    name, inputs = known
    try:
        values = decode([_type(part) for part in inputs], data[4:])
    except DecodingError:
        return LedgerProblem("Unknown", {}, data)
    return LedgerProblem(name, {part["name"]: _named(v, part) for part, v in zip(inputs, values, strict=True)}, data)


def selector_of(function: str) -> bytes:
    """The four bytes that name a function in a call. Raises UnknownName."""
    return _function(function, None).selector


def topic_of(event: str) -> bytes:
    """The first topic of an event's logs. Raises UnknownName."""
    for topic, known in _events().items():
        if known.name == event:
            return topic
    raise UnknownName(f"the ledger's ABI has no event {event}")


# ------------------------------------------------------------------------------------------------ tables


def _type(part: Mapping[str, Any]) -> str:
    """The canonical type of a parameter, e.g. `(uint256,uint256)[]` for an array of structs."""
    kind: str = part["type"]
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(_type(field) for field in part["components"]) + ")" + kind.removeprefix("tuple")


def _types(parts: Inputs) -> tuple[str, ...]:
    return tuple(_type(part) for part in parts)


def _hash(name: str, inputs: Inputs) -> bytes:
    return keccak(text=f"{name}({','.join(_types(inputs))})")


@cache
def _functions() -> dict[str, tuple[_Function, ...]]:
    found: dict[str, tuple[_Function, ...]] = {}
    for part in load("TicketLedger").abi:
        if part["type"] == "function":
            name, inputs, outputs = part["name"], part["inputs"], part["outputs"]
            entry = _Function(_hash(name, inputs)[:4], inputs, outputs, _types(inputs), _types(outputs))
            found[name] = (*found.get(name, ()), entry)
    return found


def _function(name: str, arguments: int | None) -> _Function:
    """The function of this name; among overloads (ERC-721 has one pair) the one with so many arguments."""
    for entry in _functions().get(name, ()):
        if arguments is None or len(entry.inputs) == arguments:
            return entry
    wanted = name if arguments is None else f"{name} with {arguments} arguments"
    raise UnknownName(f"the ledger's ABI has no function {wanted}")


@cache
def _events() -> dict[bytes, _Event]:
    found = {}
    for part in load("TicketLedger").abi:
        if part["type"] == "event":
            plain = [field for field in part["inputs"] if not field["indexed"]]
            indexed = [field for field in part["inputs"] if field["indexed"]]
            order = tuple(field["name"] for field in part["inputs"])
            found[_hash(part["name"], part["inputs"])] = _Event(part["name"], indexed, plain, _types(plain), order)
    return found


@cache
def _errors() -> dict[bytes, tuple[str, Inputs]]:
    ours = [part for part in load("TicketLedger").abi if part["type"] == "error"]
    return {_hash(part["name"], part["inputs"])[:4]: (part["name"], part["inputs"]) for part in [*_BUILT_IN, *ours]}


# ------------------------------------------------------------------------------------------------ values


def _plain(value: Any, part: Mapping[str, Any]) -> Any:
    """Our value as eth_abi wants it: structs become tuples in the ABI's order."""
    if "components" not in part:
        return value
    if part["type"].endswith("]"):
        item = _item(part)
        return [_plain(each, item) for each in value]
    fields = part["components"]
    ordered = [value[field["name"]] for field in fields] if isinstance(value, Mapping) else value
    return tuple(_plain(each, field) for each, field in zip(ordered, fields, strict=True))


def _named(value: Any, part: Mapping[str, Any]) -> Any:
    """A decoded value as we give it out."""
    kind = part["type"]
    if kind.endswith("]"):
        item = _item(part)
        return tuple(_named(each, item) for each in value)
    if kind == "address":
        return _checksummed(value)
    if kind == "tuple":
        return {field["name"]: _named(each, field) for field, each in zip(part["components"], value, strict=True)}
    return value


def _item(part: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter that describes one item of an array parameter."""
    return {**part, "type": part["type"][: part["type"].rindex("[")]}


@lru_cache(maxsize=65_536)
def _checksummed(address: str) -> str:
    """EIP-55 costs a hash; holders come back again and again."""
    return to_checksum_address(address)
