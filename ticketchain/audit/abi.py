"""The ledger's ABI at work: logs and calldata decoded, views encoded. Tuples become dictionaries by the names
in the ABI.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError
from web3 import Web3

from ticketchain.artifacts import load

Entry = dict[str, Any]

# A reason is whatever an organizer made of it: bytes that are no UTF-8 are no fault of the ledger.
_lenient: Any = Web3().codec._registry.copy()  # type: ignore[no-untyped-call]
_lenient.unregister_decoder("string")
_lenient.register_decoder("string", StringDecoder("replace"))  # type: ignore[no-untyped-call]
codec = ABICodec(_lenient)


@cache
def ledger_abi() -> list[Entry]:
    """The shipped ABI of `TicketLedger`."""
    return load("TicketLedger").abi


@cache
def events_by_topic() -> dict[str, Entry]:
    """Events of the ledger by their first topic (0x and 64 digits)."""
    return {_keccak(_signature(entry)).to_0x_hex(): entry for entry in ledger_abi() if entry["type"] == "event"}


@cache
def functions_by_selector() -> dict[str, Entry]:
    """Functions of the ledger by the first 4 bytes of their calldata (0x and 8 digits)."""
    return {_keccak(_signature(entry)).to_0x_hex()[:10]: entry for entry in ledger_abi() if entry["type"] == "function"}


@cache
def function(name: str) -> Entry:
    """A function of the ledger by its name. Raises LookupError if there is none."""
    for entry in ledger_abi():
        if entry["type"] == "function" and entry["name"] == name:
            return entry
    raise LookupError(f"the shipped ABI has no function {name}")


def decode_log(topics: Sequence[str], data: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a log. Raises LookupError for an unknown event, ValueError if it is malformed."""
    entry = events_by_topic().get(topics[0] if topics else "")
    if entry is None:
        raise LookupError(f"no event of the ledger has topic {topics[0] if topics else 'none'}")
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    if len(topics) != len(indexed) + 1:
        raise ValueError(f"{entry['name']} with {len(topics)} topics")
    head = {part["name"]: _values([part], topic)[0] for part, topic in zip(indexed, topics[1:], strict=True)}
    return entry["name"], head | _by_name(plain, data)


def decode_call(calldata: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a call of the ledger. Raises LookupError for another function, ValueError if it
    does not decode.
    """
    entry = functions_by_selector().get(calldata[:10])
    if entry is None:
        raise LookupError(f"no function of the ledger has selector {calldata[:10]}")
    return entry["name"], _by_name(entry["inputs"], "0x" + calldata[10:])


def encode_call(name: str, arguments: Sequence[Any]) -> str:
    """Calldata of a call of the ledger."""
    entry = function(name)
    selector: str = _keccak(_signature(entry)).to_0x_hex()[:10]
    return selector + codec.encode([type_of(part) for part in entry["inputs"]], list(arguments)).hex()


def decode_result(name: str, data: str) -> tuple[Any, ...]:
    """What a view answered, tuples left as they are. Raises ValueError if it does not decode."""
    return _values(function(name)["outputs"], data)


def type_of(part: Entry) -> str:
    """Canonical type: tuples spelled out, e.g. "(uint256,uint256)[]"."""
    kind: str = part["type"]
    return f"({_types(part['components'])}){kind[5:]}" if kind.startswith("tuple") else kind


def _values(parts: Sequence[Entry], data: str) -> tuple[Any, ...]:
    """Decoded values of 0x and hexadecimal digits. Raises ValueError if they are not what the ABI says."""
    try:
        values: tuple[Any, ...] = codec.decode([type_of(part) for part in parts], bytes.fromhex(data[2:]))
    except (DecodingError, OverflowError) as error:
        raise ValueError(f"{_types(parts) or 'nothing'} does not decode: {error}") from error
    return values


def _by_name(parts: Sequence[Entry], data: str) -> dict[str, Any]:
    return {part["name"]: _named(part, value) for part, value in zip(parts, _values(parts, data), strict=True)}


def _types(parts: Iterable[Entry]) -> str:
    return ",".join(type_of(part) for part in parts)


def _signature(entry: Entry) -> str:
    return f"{entry['name']}({_types(entry['inputs'])})"


def _keccak(text: str) -> Any:
    return Web3.keccak(text=text)


def _named(part: Entry, value: Any) -> Any:
    """A decoded value with the tuples in it as dictionaries; arrays have one dimension in this ABI."""
    kind: str = part["type"]
    if not kind.startswith("tuple"):
        return value
    if kind.endswith("]"):
        return [_fields(part, item) for item in value]
    return _fields(part, value)


def _fields(part: Entry, value: Sequence[Any]) -> dict[str, Any]:
    return {inner["name"]: _named(inner, item) for inner, item in zip(part["components"], value, strict=True)}
