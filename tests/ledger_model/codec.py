"""ABI coding of arguments, logs and errors: a small encoder, made once per list of types.

Values are plain: addresses and whole numbers are ints, `bytesN` and `bytes` are bytes, structs and lists are
sequences. `test_codec.py` holds it against eth_abi.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from eth_hash.auto import keccak

Encode = Callable[[Any], bytes]
WORD = 32
_MODULUS = 1 << 256


def number(value: int) -> bytes:
    """A whole number or an address as one word; negative ones in two's complement."""
    return (value % _MODULUS).to_bytes(WORD, "big")


def kinds_of(parameters: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Canonical types of ABI parameters, structs as "(…)"."""
    return tuple(_kind(parameter) for parameter in parameters)


def signature_of(entry: dict[str, Any]) -> str:
    """Canonical signature of a function, event or error."""
    return f"{entry['name']}({','.join(kinds_of(entry['inputs']))})"


@cache
def tuple_encoder(kinds: tuple[str, ...]) -> Encode:
    """Encodes a sequence of values of these types, as call data or a log has them."""
    coders = [_coder(kind) for kind in kinds]
    if not any(dynamic for _, dynamic in coders):
        encoders = [encode for encode, _ in coders]
        return lambda values: b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])
    head = sum(_head_size(kind) for kind in kinds)

    def encode_all(values: Sequence[Any]) -> bytes:
        heads, tails, place = [], [], head
        for (encode, dynamic), value in zip(coders, values, strict=True):
            coded = encode(value)
            heads.append(number(place) if dynamic else coded)
            if dynamic:
                tails.append(coded)
                place += len(coded)
        return b"".join(heads + tails)

    return encode_all


def hash_text(text: str) -> bytes:
    """keccak256 of a text."""
    return bytes(keccak(text.encode()))


def _kind(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(kinds_of(parameter['components']))}){kind.removeprefix('tuple')}"


@cache
def _coder(kind: str) -> tuple[Encode, bool]:
    """How to encode one value of this type, and whether it is dynamic."""
    if kind.endswith("]"):
        return _list_coder(kind)
    if kind.startswith("("):
        inner = split(kind)
        return tuple_encoder(inner), any(_coder(part)[1] for part in inner)
    if kind in ("bytes", "string"):
        return _encode_bytes, True
    if kind.startswith("bytes"):
        return (lambda value: value.ljust(WORD, b"\0")), False
    return number, False


def _list_coder(kind: str) -> tuple[Encode, bool]:
    inner, _, length = kind.rpartition("[")
    if length != "]":
        fixed = (inner,) * int(length[:-1])
        return tuple_encoder(fixed), _coder(inner)[1]

    def encode_list(values: Sequence[Any]) -> bytes:
        return number(len(values)) + tuple_encoder((inner,) * len(values))(values)

    return encode_list, True


def _encode_bytes(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return number(len(raw)) + raw + bytes(-len(raw) % WORD)


@cache
def _head_size(kind: str) -> int:
    if _coder(kind)[1]:
        return WORD
    if kind.endswith("]"):
        inner, _, length = kind.rpartition("[")
        return _head_size(inner) * int(length[:-1])
    return sum(map(_head_size, split(kind))) if kind.startswith("(") else WORD


def split(kind: str) -> tuple[str, ...]:
    """Types of a struct's members."""
    parts, depth, last = [], 0, 1
    for place, letter in enumerate(kind):
        depth += (letter == "(") - (letter == ")")
        if (letter == "," and depth == 1) or (letter == ")" and depth == 0):
            parts.append(kind[last:place])
            last = place + 1
    return tuple(part for part in parts if part)
