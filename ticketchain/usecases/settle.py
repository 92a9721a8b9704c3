"""The only place where it is decided who holds a ticket: from the ledger's log, in the chain's order, and back when a
block is gone.

Everything here is computed anew from the logged history of the tickets touched, so that following a block twice,
taking it back and following another one all end in the same state. Money and mail wait for finality
(`usecases.finality`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ticketchain.domain.blocks import TICKET_KINDS, Entry, FollowedBlock, Heights, Stretch
from ticketchain.domain.trace import distinct
from ticketchain.store import chain, events, gate, outbox, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import Told, retell, retell_event

_TELLING = TICKET_KINDS | {"Skipped"}
EVENT_KINDS = ("ScheduleChanged", "StatusChanged", "EntryKeySet", "BatchIssued")


def follow(parts: Parts, stretch: Stretch) -> bool:
    """Adds the next blocks. False, and nothing changed, when they do not follow the newest that we have: it was
    replaced, or another worker was quicker.
    """
    with parts.store.begin() as tx:
        ledger = chain.lock(tx, stretch.ledger)
        if ledger is None or ledger.forked_at is not None or not _is_next(tx, ledger, stretch):
            return False
        entries = [entry for block in stretch.blocks for entry in block.entries]
        chain.add_blocks(tx, [_place(block) for block in stretch.blocks])
        chain.add_changes(tx, [_row(block, entry) for block in stretch.blocks for entry in block.entries])
        mined = [note for block in stretch.blocks for note in _note_transactions(tx, block)]
        for entry in entries:
            if entry.kind in EVENT_KINDS:
                note_event(tx, entry.kind, entry.event_number, entry.values, gone=False)
        retell(
            parts, tx, _tickets(entries), [_told(block, entry) for block in stretch.blocks for entry in block.entries]
        )
    for note in mined:  # what came of each request
        parts.log.info("transaction mined", **note)
    return True


def note_late(parts: Parts, block: FollowedBlock) -> bool:
    """Notes transactions of ours in a block that was followed before the node had their receipts. False when there are
    none any more, or it is not the block that we follow.
    """
    with parts.store.begin() as tx:
        ledger, tip = chain.lock(tx, block.ledger), chain.tip(tx, block.ledger)
        stored, open_ = chain.block(tx, block.ledger, block.number), set(outbox.unsettled_hashes(tx, block.ledger))
        late = replace(block, mined=[mined for mined in block.mined if mined.hash in open_])
        known = stored.hash == block.hash if stored is not None else ledger and block.number <= ledger.final_number
        if not late.mined or not known or tip is None or block.number > tip.number:
            return False
        if stored is None:
            chain.add_blocks(tx, [_place(block)])
        notes = _note_transactions(tx, late)
    for note in notes:
        parts.log.info("transaction mined, its receipt came late", **note)
    return True


def _is_next(tx: Tx, ledger: Any, stretch: Stretch) -> bool:
    tip = chain.tip(tx, ledger.number)
    if tip is None:
        return bool(stretch.first == ledger.final_number + 1)
    return bool(stretch.first == tip.number + 1 and stretch.parent == tip.hash)


def take_back(parts: Parts, ledger: int, after: int, tip: bytes) -> bool:
    """Takes back all blocks above `after`, as if they had never been; their transactions count as sent again.

    `tip` is the hash of the newest block when that was decided: False, and nothing changed, when another worker has
    changed it meanwhile.
    """
    with parts.store.begin() as tx:
        row, newest = chain.lock(tx, ledger), chain.tip(tx, ledger)
        if row is None or row.forked_at is not None or newest is None or newest.hash != tip:
            return False
        take_out(parts, tx, ledger, after)
        chain.add_reorg(tx, ledger, after, newest.number - after, parts.clock())
        return True


def take_out(parts: Parts, tx: Tx, ledger: int, after: int) -> None:
    """The same within a transaction that holds the ledger's lock."""
    gone = chain.drop_blocks(tx, ledger, after)
    for row in reversed(gone):
        note_event(tx, row.kind, row.event_number, row.values, gone=True)
    transactions = outbox.forget_mined(tx, ledger, after)
    if transactions:
        outbox.finish_intents(tx, transactions, "done", "sent")
        outbox.finish_intents(tx, transactions, "refused", "sent")
    retell(parts, tx, sorted({row.ticket for row in gone if row.ticket is not None}))


def look(parts: Parts, ledger: int, heights: Heights) -> None:
    """Notes what the node calls head and safe, and that it was asked now."""
    with parts.store.begin() as tx:
        chain.set_ledger(tx, ledger, head_number=heights.head, safe_number=heights.safe, checked_at=parts.clock())


def _place(block: FollowedBlock) -> dict[str, Any]:
    place = {"ledger": block.ledger, "number": block.number, "hash": block.hash, "parent": block.parent}
    return place | {"timestamp": block.timestamp}


def _row(block: FollowedBlock, entry: Entry) -> dict[str, Any]:
    return {
        "ledger": block.ledger,
        "block_number": block.number,
        "log_index": entry.log_index,
        "line": entry.line,
        "tx_hash": entry.tx_hash,
        "kind": entry.kind,
        "event_number": entry.event_number,
        "ticket": entry.ticket,
        "values": entry.values,
    }


def _told(block: FollowedBlock, e: Entry) -> Told:
    return Told(e.kind, block.number, e.log_index, e.line, e.ticket, e.values, block.timestamp)


def _tickets(entries: Sequence[Entry]) -> list[int]:
    return sorted({e.ticket for e in entries if e.ticket is not None and e.kind in _TELLING})


def _note_transactions(tx: Tx, block: FollowedBlock) -> list[dict[str, Any]]:
    """Notes which of our transactions the block has, and what became of the intents they carry; about each for the
    log.
    """
    notes: list[dict[str, Any]] = []
    ours = {row.hash: row for row in outbox.transactions_with(tx, [m.hash for m in block.mined])}
    skipped = {(e.tx_hash, e.ticket): e.values for e in block.entries if e.kind == "Skipped"}
    for mined in block.mined:
        if (row := ours.get(mined.hash)) is None:
            continue
        outbox.set_mined(tx, row.id, block.number, mined)
        intents = outbox.intents_of(tx, [row.id])
        about = {"ledger": block.ledger, "block": block.number, "tx_hash": f"0x{mined.hash.hex()}"}
        about |= {"succeeded": mined.succeeded, "filler": row.filler}
        notes.append(about | {"request_ids": distinct(intent.trace for intent in intents)})
        if not mined.succeeded or row.filler:
            continue  # nothing was done; the intents wait until that is final (`aside.release_failed`)
        for intent in intents:
            problem = skipped.get((mined.hash, intent.payload.get("ticket")))
            if problem is not None and outbox.end_intent(tx, intent.id, "sent", "refused", problem):
                _note_refusal(tx, intent, problem)
        outbox.finish_intents(tx, [row.id], "sent", "done")
    return notes


def _note_refusal(tx: Tx, intent: Any, problem: Any) -> None:
    """A gate let somebody in whom the ledger refuses: staff must hear of it. (Order lines follow in `retell`.)"""
    if intent.kind == "redeem":
        gate.set_admission_problem(tx, intent.payload["ticket"], problem["detail"])


def note_event(tx: Tx, kind: str, number: int | None, values: Any, gone: bool) -> None:
    """Follows what the ledger logged about events (not tickets), or takes it back."""
    if number is None or kind not in EVENT_KINDS:
        return
    row = events.event_numbered(tx, number)
    if row is None:
        return  # an event that was not created through this service
    if kind == "BatchIssued":
        ours = outbox.payload(tx, f"issue:{row.id}:{values['number']}")
        if ours is None or ours["manifest"] != values["manifest"]:
            return  # somebody else's batch, though perhaps of a number that we wanted
        events.set_issued(tx, row.id, values["number"], not gone)
        stock.set_batch_issued(tx, row.id, values["number"], not gone)
    elif kind == "EntryKeySet":
        events.set_entry_key(tx, row.id, values["key_id"], values["valid_until"], registered=not gone)
    else:
        retell_event(tx, row.id, number)
