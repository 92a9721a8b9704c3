"""The read model against the chain: built anew beside it, compared row by row, repaired where they differ.

The chain is read up to the live model's final block and settled by the same use case, into a database that is thrown
away. What the live model has above that block is copied on top, so that tickets can be compared as they are now.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ticketchain.domain.blocks import Stretch
from ticketchain.domain.ledgers import first_event, ledger_of_ticket
from ticketchain.domain.references import reference_bytes
from ticketchain.store import chain, rebuild
from ticketchain.store.engine import Store, Tx
from ticketchain.usecases import finality, settle
from ticketchain.usecases.common import required
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import retell

SHOWN = 20
"""So many differences are listed."""

_CHUNK = 500


class History(Protocol):
    """Where the chain is read anew: an indexer."""

    ledger: int
    first: int

    def rebuild(self, follow: Callable[[Stretch], bool], final: int) -> None:
        """Hands over the ledger's whole history up to a final block."""


@dataclass(frozen=True)
class Difference:
    """A row that is not the same: None stands for no such row. `key`: its primary key."""

    table: str
    key: rebuild.Key
    here: Mapping[str, Any] | None
    chain: Mapping[str, Any] | None


@dataclass
class Report:
    """What a comparison found: digests of both models (SHA-256), rows of the chain's, and all that differs."""

    ledger: int
    final: int
    digest_here: str = ""
    digest_chain: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether both are the same, byte for byte."""
        return self.digest_here == self.digest_chain

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values, with the first differences."""
        shown = [
            {"table": d.table, "key": list(d.key), "here": _shown(d.here), "chain": _shown(d.chain)}
            for d in self.differences[:SHOWN]
        ]
        told = {"ledger": self.ledger, "final": self.final, "equal": self.equal, "rows": self.rows}
        told |= {"digest_here": self.digest_here, "digest_chain": self.digest_chain}
        return told | {"differences": len(self.differences), "first": shown}


def check(parts: Parts, history: History) -> Report:
    """Compares a ledger's read model with the chain; changes nothing, and may run beside everything else."""
    with _built_anew(parts, history) as (scratch, final), parts.store.read(long=True) as tx:
        rebuild.freeze(tx)
        _copy_newer(scratch, tx, history.ledger, final)
        return _compare(tx, scratch, Report(history.ledger, final))


def repair(parts: Parts, history: History) -> Report:
    """Makes a ledger's read model what the chain says, in one transaction, and tells all its tickets anew.

    Final changes that were missing have their effects now. Returns what differed before.
    """
    with _built_anew(parts, history) as (scratch, final), parts.store.begin() as tx:
        chain.lock(tx, history.ledger)
        _copy_newer(scratch, tx, history.ledger, final)
        report = _compare(tx, scratch, Report(history.ledger, final))
        _apply(parts, tx, report)
        return report


def unbacked(parts: Parts, ledger: int) -> list[dict[str, Any]]:
    """What was done because of changes that the chain does not have: money given back or due, events opened. A person
    has to decide about each.
    """
    with parts.store.read() as tx:
        effects = rebuild.money_effects(tx, ledger)
        found = [told for row in effects if (told := _unless_backed(tx, ledger, row)) is not None]
        return found + _lost_events(tx, ledger)


# ------------------------------------------------------------------------------------------------ building anew


@contextmanager
def _built_anew(parts: Parts, history: History) -> Iterator[tuple[Parts, int]]:
    with parts.store.read() as tx:
        row = required(chain.ledger(tx, history.ledger), f"ledger {history.ledger}")
    with tempfile.TemporaryDirectory(prefix="ticketchain-reindex-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'scratch.db'}")
        try:
            store.migrate()
            scratch = replace(parts, store=store)
            with store.begin() as tx:
                chain.add_ledger(tx, row.number, row.address, row.chain_id, history.first - 1)
            history.rebuild(partial(settle.follow, scratch), row.final_number)
            yield scratch, row.final_number
        finally:
            store.close()


def _copy_newer(scratch: Parts, tx: Tx, ledger: int, final: int) -> None:
    """What the live model has above the final block, on top of what was built anew."""
    blocks, changes = rebuild.blocks_above(tx, ledger, final), rebuild.changes_above(tx, ledger, final)
    with scratch.store.begin() as other:
        rebuild.put_blocks(other, blocks)
        chain.add_changes(other, changes)
        retell(scratch, other, sorted({row["ticket"] for row in changes if row["ticket"] is not None}))


# ------------------------------------------------------------------------------------------------ comparing


def _compare(tx: Tx, scratch: Parts, report: Report) -> Report:
    here, there = hashlib.sha256(), hashlib.sha256()
    with scratch.store.read() as other:
        for table in rebuild.TABLES:
            rows = (rebuild.rows(tx, table, report.ledger), rebuild.rows(other, table, report.ledger))
            for key, ours, theirs in _side_by_side(*rows):
                lines = [None if row is None else rebuild.line(row) for row in (ours, theirs)]
                here.update(lines[0] or b"")
                there.update(lines[1] or b"")
                report.rows[table] = report.rows.get(table, 0) + (theirs is not None)
                if lines[0] != lines[1]:
                    report.differences.append(Difference(table, key, ours, theirs))
    report.digest_here, report.digest_chain = here.hexdigest(), there.hexdigest()
    return report


_Rows = Iterator[tuple[rebuild.Key, Mapping[str, Any]]]


def _side_by_side(
    ours: _Rows, theirs: _Rows
) -> Iterator[tuple[rebuild.Key, Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Two sequences in the order of their keys, merged."""
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(ours, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(theirs, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(ours, None), next(theirs, None)


def _shown(row: Mapping[str, Any] | None) -> str | None:
    return None if row is None else rebuild.line(row).decode()


# ------------------------------------------------------------------------------------------------ repairing


def _apply(parts: Parts, tx: Tx, report: Report) -> None:
    changed = [d for d in report.differences if d.table == "changes"]
    gone = [d.here for d in changed if d.here is not None]
    new = [d.chain for d in changed if d.chain is not None]
    rebuild.put_blocks(tx, [d.chain for d in report.differences if d.table == "blocks" and d.chain is not None])
    rebuild.drop_changes(tx, [d.key for d in changed if d.here is not None])
    for row in reversed(gone):
        settle.note_event(tx, row["kind"], row["event_number"], row["values"], gone=True)
    chain.add_changes(tx, new)
    for row in new:
        settle.note_event(tx, row["kind"], row["event_number"], row["values"], gone=False)
    _retell_all(parts, tx, report.ledger)
    _do_missed_effects(parts, tx, report, {d.key[1:] for d in changed if d.here is None})
    chain.prune_blocks(tx, report.ledger, 0, report.final)


def _retell_all(parts: Parts, tx: Tx, ledger: int) -> None:
    after = -1
    while ids := rebuild.ticket_ids(tx, ledger, after, _CHUNK):
        retell(parts, tx, ids)
        after = ids[-1]


def _do_missed_effects(parts: Parts, tx: Tx, report: Report, missed: set[tuple[int, ...]]) -> None:
    final = [key[0] for key in missed if key[0] <= report.final]
    if not final:
        return
    rows = chain.changes_between(tx, report.ledger, min(final), max(final), finality.EFFECT_KINDS)
    finality.do_effects(parts, tx, [row for row in rows if (row.block_number, row.log_index, row.line) in missed])


# ------------------------------------------------------------------------------------------------ effects


def _unless_backed(tx: Tx, ledger: int, row: Any) -> dict[str, Any] | None:
    cause, _, rest = row.cause.partition(":")
    told = {"order": row.order_id, "payment": row.payment, "amount": row.amount}
    if cause in _BACKED_BY:
        ticket, epoch = map(int, rest.split(":"))
        backed = any(v["epoch"] == epoch for v in rebuild.values_of(tx, _BACKED_BY[cause], ticket))
        foreign = ledger_of_ticket(ticket) != ledger
        return None if backed or foreign else {"what": "refund", "ticket": str(ticket), "cause": row.cause} | told
    reference = reference_bytes(row.payment).hex()
    if any(v["reference"] == reference for v in rebuild.values_of(tx, "Settled", row.ticket)):
        return None
    return {"what": "payout", "ticket": str(row.ticket), "cause": row.cause} | told


_BACKED_BY = {"returned": "Refunded", "exchanged": "Exchanged", "cancelled": "RefundedCancelled"}


def _lost_events(tx: Tx, ledger: int) -> list[dict[str, Any]]:
    """Events that were open under a number under which the ledger does not have them."""
    lost = []
    for row in rebuild.numbered_events(tx, first_event(ledger), first_event(ledger + 1)):
        created = chain.changes_of_event(tx, row.number, ["EventCreated"])
        reference = reference_bytes(row.id).hex()
        if not any(change.values["reference"].startswith(reference) for change in created):
            lost.append({"what": "event", "event": row.id, "number": row.number})
    return lost
