"""Values of the domain as JSON and back, strictly: a field too many, one too few or one of another type is refused.

Bytes are base64 (RFC 4648), times ISO 8601 with their zone, a member of a union of dataclasses names its type. Nothing
that is read here can make an object of a class that the declared type does not name.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Read = Callable[[Any], Any]

_TAG = "is"


class Garbage(ValueError):
    """Not what was declared; the message says where, never what stood there."""


def write(value: Any) -> Any:
    """A value as what `json` can write. Raises `TypeError` for what has no form here."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {_TAG: type(value).__name__} | {name: write(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {str(key): write(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [write(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no form on the wire")


@cache
def reader(kind: Any) -> Read:
    """What reads a value of this type. It raises `Garbage`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _one_of(inner)
    if origin in (tuple, Sequence, list):
        return _pair(inner) if origin is tuple and inner[-1] is not Ellipsis else _row(reader(inner[0]))
    if origin in (dict, Mapping):
        return _table(reader(inner[1]))
    if is_dataclass(kind):
        return _record((kind,))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(kind)
    return _PLAIN[kind]


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _exactly(kind: type) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:  # a bool is no int here
            raise Garbage(f"a value is no {kind.__name__}")
        return value

    return read


def _bytes(value: Any) -> bytes:
    try:
        return b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise Garbage("bytes are not base64") from None


def _time(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError:
        raise Garbage("a time is not ISO 8601") from None
    if found.tzinfo is None:
        raise Garbage("a time has no zone")
    return found


_text = _exactly(str)
_PLAIN: dict[Any, Read] = {
    str: _text,
    int: _exactly(int),
    bool: _exactly(bool),
    NoneType: _exactly(NoneType),
    bytes: _bytes,
    datetime: _time,
}


def _row(read_each: Read) -> Read:
    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Garbage("a value is no list")
        return tuple(map(read_each, value))

    return read


def _pair(kinds: Sequence[Any]) -> Read:
    readers = [reader(kind) for kind in kinds]

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(readers):
            raise Garbage(f"a value is no list of {len(readers)}")
        return tuple(each(part) for each, part in zip(readers, value, strict=True))

    return read


def _table(read_each: Read) -> Read:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Garbage("a value is no object")
        return {key: read_each(each) for key, each in value.items()}

    return read


def _member(kind: type[Enum]) -> Read:
    def read(value: Any) -> Enum:
        try:
            return kind(value)
        except ValueError:
            raise Garbage(f"a value is no {kind.__name__}") from None

    return read


def _one_of(kinds: Sequence[Any]) -> Read:
    """Dataclasses by the name that they carry, and at most one other type beside them."""
    record = _record([kind for kind in kinds if is_dataclass(kind)])
    others = [reader(kind) for kind in kinds if kind is not NoneType and not is_dataclass(kind)]

    def read(value: Any) -> Any:
        if value is None and NoneType in kinds:
            return None
        return others[0](value) if others and type(value) is not dict else record(value)

    return read


def _record(records: Iterable[Any]) -> Read:
    """One of these dataclasses, with exactly its fields."""
    kinds = {str(kind.__name__): kind for kind in records}
    parts: dict[str, tuple[Any, dict[str, Read]]] = {}

    def read(value: Any) -> Any:
        if type(value) is not dict or type(name := value.get(_TAG)) is not str or name not in kinds:
            raise Garbage(f"a value is none of {', '.join(sorted(kinds))}")
        if name not in parts:  # not before it is needed: a type may contain itself
            hints = get_type_hints(kinds[name])
            parts[name] = kinds[name], {field: reader(hints[field]) for field in _names(kinds[name])}
        kind, readers = parts[name]
        if len(value) != len(readers) + 1 or any(field not in value for field in readers):
            raise Garbage(f"{name} has exactly the fields {', '.join(readers)}")
        return kind(**{field: read_it(value[field]) for field, read_it in readers.items()})

    return read
