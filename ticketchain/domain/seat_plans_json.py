"""Reading values out of a plan's JSON: what is wrong is noted with its path and the seat's number, and reading goes on.

Numbers stay as they are written (`Number`), so that no position goes through a float.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, TypeVar

from ticketchain.domain.manifest_reading import shown
from ticketchain.domain.manifest_types import MAX_FILE_BYTES, clean, hundredths, unprintable
from ticketchain.domain.seat_plans import MAX_TEXT, Problems

_Choice = TypeVar("_Choice", bound=StrEnum)


class Number(str):
    """A number as it is written."""


def parse(data: bytes, problems: Problems) -> Any:
    """The JSON value, None with the problem noted when it is none."""
    if len(data) > MAX_FILE_BYTES:
        problems.add("", f"{len(data):,} bytes, at most {MAX_FILE_BYTES:,} are read", "make two plans of it")
        return None
    try:
        return json.loads(data.decode("utf-8-sig"), parse_int=Number, parse_float=Number, parse_constant=Number)
    except UnicodeDecodeError as error:
        problems.add("", f"not UTF-8 (byte {error.start + 1} of the file)", "save the file as UTF-8")
    except json.JSONDecodeError as error:
        problems.add("", f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})", "correct it there")
    except RecursionError:
        problems.add("", "nested too deeply", "send sections, rows and seats")
    return None


def below(path: str, name: str) -> str:
    """The path of a member."""
    return f"{path}.{name}" if path else name


def items(holder: Any, name: str, path: str, problems: Problems, needed: bool = True) -> Iterator[tuple[str, Any]]:
    """The objects of a list with the path of each; anything else is noted and passed over."""
    found = holder.get(name)
    where = below(path, name)
    if found is None and not needed:
        return
    if not isinstance(found, list):
        problems.add(where, "missing" if found is None else "no list", "send a list here, it may be empty")
        return
    for index, item in enumerate(found):
        if isinstance(item, dict):
            yield f"{where}[{index}]", item
        else:
            problems.add(f"{where}[{index}]", "no object", "send an object here")


def member(holder: Any, name: str, path: str, problems: Problems) -> dict[str, Any]:
    """An object inside an object; empty, with the problem noted, when there is none."""
    found = holder.get(name)
    if isinstance(found, dict):
        return found
    problems.add(below(path, name), "missing" if found is None else "no object", "send an object here")
    return {}


def label(holder: Any, name: str, path: str, problems: Problems, longest: int, needed: bool = True) -> str:
    """A text or whole number, normalised; empty, with the problem noted, when it cannot be used."""
    found = holder.get(name)
    where = below(path, name)
    text = clean(found) if isinstance(found, str) else ""
    if found is not None and not isinstance(found, str):
        problems.add(where, "neither text nor a number", "put the value in quotes")
    elif not text and needed:
        problems.add(where, "missing or empty", "fill it in; unnumbered places need labels too, such as GA and 1")
    elif len(text) > longest:
        problems.add(where, f"{len(text)} characters", f"use at most {longest}")
    elif unprintable(text):
        problems.add(where, f"a control or invisible character: {shown(text)}", "type it anew, in plain characters")
    else:
        return text
    return ""


def free_text(holder: Any, name: str) -> str:
    """A text that is only drawn: cut to 100 characters, what is invisible left out."""
    found = holder.get(name)
    text = clean(found) if isinstance(found, str) else ""
    return "".join(char for char in text if not unprintable(char))[:MAX_TEXT].strip()


def number(holder: Any, name: str, path: str, problems: Problems, default: int | None = None) -> int:
    """A number in hundredths; 0, with the problem noted, when it is none or missing without a default."""
    found = holder.get(name)
    if found is None and default is not None:
        return default
    value = hundredths(found) if isinstance(found, Number) else None
    if value is None:
        message = "missing" if found is None else f"{shown(str(found))} is no number"
        problems.add(below(path, name), message, "write a number between -999999 and 999999")
    return value or 0


def choice(holder: Any, name: str, path: str, problems: Problems, default: _Choice) -> _Choice:
    """One of some words; the default when there is none, or, with the problem noted, another."""
    found = holder.get(name)
    kind = type(default)
    try:
        return kind(clean(found).lower()) if isinstance(found, str) and found else default
    except ValueError:
        problems.add(below(path, name), f"{shown(found)} is unknown", f"use one of {', '.join(kind)}")
        return default
