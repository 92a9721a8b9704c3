"""The access log: who did what, on whom, why, from where. A row is written in the transaction of what it tells of, so
neither is ever without the other. Its head is locked until that ends: this is for what people do one at a time, not
for an on-sale.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ticketchain.domain import place
from ticketchain.domain.access import FORMAT, Entry, chained, digest_of, tag_of
from ticketchain.domain.anchors import Head
from ticketchain.store import access, anchors
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts

CONSOLE = Principal("command-line", "operator")
"""Who works beside the data: on the machine, with the operator's rights."""

MOST_ANCHORS = 1_000
"""Publications that an export names; the chain has them all."""

_BATCH = 500


def record(
    parts: Parts, tx: Tx, who: Principal, what: str, whom: str = "", why: str = "", organizer_id: str | None = None
) -> Head:
    """Adds a row to the log, near the end of a transaction: others wait from here on. All are ids or fixed words, e.g.
    `record(parts, tx, who, "person.read", "per_…", "door")`; `organizer_id` says whose row it is, if not the caller's.
    """
    last, organizer = access.locked_head(tx), organizer_id or who.organizer_id
    entry = Entry(
        seq=last.seq + 1,
        at=parts.clock(),
        organizer=organizer,
        by=who.person_id or who.key_id,
        role=who.role,
        what=what,
        whom=whom,
        why=why,
        place=place.current(),
        salt=secrets.token_bytes(16),
    )
    tag = tag_of(access.scope_key(tx, organizer or "", secrets.token_bytes(32)), entry.seq)
    digest = digest_of(entry)
    hash_ = chained(last.hash, entry.seq, tag, digest)
    access.append(tx, entry, tag, digest, hash_)
    return Head(entry.seq, hash_)


def export(parts: Parts, who: Principal, after: int, limit: int) -> Iterator[str]:
    """The log as JSON Lines after a row: an organizer sees its own rows, and of all others what the chain is made of;
    the operator sees all. Before the first row comes a line about the log; that it was asked for is logged at once.
    """
    if after:
        return _rows(parts, who, after, limit)
    with parts.store.begin() as tx:
        record(parts, tx, who, "log.export")
        about = _about(tx, who.organizer_id)
    return chain([_line(about)], _rows(parts, who, 0, limit))


def _rows(parts: Parts, who: Principal, after: int, limit: int) -> Iterator[str]:
    while limit > 0:
        with parts.store.read() as tx:
            rows = access.page(tx, who.organizer_id, after, min(limit, _BATCH))
        yield from (_line(_row(link, entry)) for link, entry in rows)
        if not rows:
            return
        after, limit = rows[-1][0].seq, limit - len(rows)


def _about(tx: Tx, organizer_id: str | None) -> dict[str, Any]:
    keys = access.scope_keys(tx)
    mine = keys if organizer_id is None else {organizer_id: keys[organizer_id]}
    head = access.head(tx)
    published = [_anchor(row) for row in anchors.published(tx, MOST_ANCHORS)]
    about: dict[str, Any] = {
        "log": FORMAT,
        "of": organizer_id,
        "keys": {name: key.hex() for name, key in sorted(mine.items())},
    }
    return about | {"head": {"seq": head.seq, "hash": head.hash.hex()}, "anchors": published}


def _anchor(row: Any) -> dict[str, Any]:
    place = {"block": row.block_number, "tx": f"0x{row.mined_hash.hex()}", "from": row.signer}
    return {"seq": row.access_seq, "hash": row.access_hash.hex()} | place


def _row(link: Any, entry: Entry | None) -> dict[str, Any]:
    shown = {"seq": link.seq} if entry is None else entry.members()
    return shown | {"tag": link.tag.hex(), "digest": link.digest.hex(), "hash": link.hash.hex()}


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"
