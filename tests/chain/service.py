"""A small service on the embedded chain, to be killed: `python -m tests.chain.service FOLDER [--variant V]
[--die-at POINT]`.

It sends transactions, journals the blocks they were mined in (as the outbox does), and notes each block that
the chain called final. Whenever it starts, or finds its anvil dead, it brings the chain back, heals it,
compares it with its notes, and prints a line of JSON with the verdict. Standard output is the only channel to
its tester.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.anvil import RECORDER, signed, signer, words
from ticketchain.chain import snapshots
from ticketchain.chain.embedded import EmbeddedChain, LostTransaction
from ticketchain.chain.gateway import BlockRef, ChainError, ChainUnavailable

SENDER = signer(41)


class TrustsHead(EmbeddedChain):
    """Wrong: calls blocks final that no snapshot has."""

    def finalized(self) -> int:
        return self.gateway.head().number


def write_in_place(target: Path, content: bytes) -> None:
    """Wrong: overwrites the only snapshot where it lies."""
    for other in target.parent.glob("snapshot-*"):
        other.rename(target)
    with target.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


class Notes:
    """What the service knows, in files that a kill -9 does not take: lines of JSON; a torn last line does not
    count.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def add(self, kind: str, **values: Any) -> None:
        with (self._folder / kind).open("a", encoding="utf-8") as out:
            out.write(json.dumps(values) + "\n")

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        file = self._folder / kind
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            yield json.loads(line)


def recover(chain: EmbeddedChain, notes: Notes) -> dict[str, Any]:
    """Brings the chain back after whatever happened; says whether all that was noted is there again."""
    chain.stop()
    chain.start()
    restored = chain.gateway.head().number
    finals = all(_has(chain, note) for note in notes.all("finals"))
    known = {note["hash"]: note["raw"] for note in notes.all("sent")}
    lost = [
        LostTransaction(bytes.fromhex(known[tx_hash]), note["number"], note["timestamp"], index)
        for note in notes.all("blocks")
        for index, tx_hash in enumerate(note["transactions"])
    ]
    healed = chain.heal(lost)
    blocks = all(_has(chain, note) for note in notes.all("blocks"))
    resend(chain, notes)
    return {
        "finals": finals,
        "blocks": blocks,
        "sent": len(known) == chain.gateway.nonce(SENDER.address),
        "restored": restored,
        "resent": healed.resent,
        "head": chain.gateway.head().number,
        "refused": len(healed.refused),
        "anvil": chain.pid,
    }


def resend(chain: EmbeddedChain, notes: Notes) -> None:
    """Sends again what was sent but is in no block."""
    sent = list(notes.all("sent"))
    receipts = chain.gateway.receipts([bytes.fromhex(note["hash"]) for note in sent])
    missing = [bytes.fromhex(n["raw"]) for n, got in zip(sent, receipts, strict=True) if got is None]
    if missing:
        chain.gateway.send_raw_many(missing)
        chain.step()
        note_block(chain, notes, chain.gateway.head())


def _has(chain: EmbeddedChain, note: dict[str, Any]) -> bool:
    block = chain.gateway.block(note["number"])
    return block is not None and block.hash.hex() == note["hash"]


def work(chain: EmbeddedChain, notes: Notes) -> None:
    """Sends and mines until killed."""
    nonce = chain.gateway.nonce(SENDER.address)
    while True:
        for _ in range(1 + nonce % 3):
            # the first deploys the recorder at a known address; each later one fills ten words of its own
            to = signer_contract() if nonce else None
            data = words(*range(nonce * 10, nonce * 10 + 10)) if nonce else RECORDER
            raw = signed(SENDER, nonce, to, data)
            tx_hash = chain.gateway.send_raw(raw)
            notes.add("sent", hash=tx_hash.hex(), raw=raw.hex())
            nonce += 1
        chain.step()
        head = chain.gateway.head()
        note_block(chain, notes, head)
        final = chain.gateway.block(chain.finalized())
        assert final is not None
        notes.add("finals", number=final.number, hash=final.hash.hex())


def note_block(chain: EmbeddedChain, notes: Notes, head: BlockRef) -> None:
    block = chain.gateway.block(head.number)
    assert block is not None
    notes.add(
        "blocks",
        number=block.number,
        hash=block.hash.hex(),
        timestamp=block.timestamp,
        transactions=[each.hex() for each in block.transactions],
    )


def signer_contract() -> str:
    """Address of the contract that the sender's first transaction deploys."""
    from eth_utils.address import to_checksum_address
    from eth_utils.crypto import keccak

    # RLP of [address, 0] (yellow paper, section 7)
    return to_checksum_address(keccak(b"\xd6\x94" + bytes.fromhex(SENDER.address[2:]) + b"\x80")[-20:])


def die_at(point: str, turn: int) -> None:
    """Arranges for a kill -9 of this process within the writing of snapshot number `turn`."""
    sync, calls = os.fsync, iter(range(1, 1_000_000))

    def fsync(descriptor: int) -> None:
        call = next(calls)
        if point == "half" and call == turn * 2 - 1:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        sync(descriptor)
        if (point, call) in {("written", turn * 2 - 1), ("renamed", turn * 2)}:
            os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = fsync  # type: ignore[assignment]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variant", default="", choices=["", "in-place", "trusts-head"])
    parser.add_argument("--die-at", default="", choices=["", "half", "written", "renamed"])
    parser.add_argument("--turn", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.die_at:
        die_at(arguments.die_at, arguments.turn)
    if arguments.variant == "in-place":
        snapshots.write_durably = write_in_place
    kind = TrustsHead if arguments.variant == "trusts-head" else EmbeddedChain
    chain = kind(arguments.folder, snapshot_every=0.05)
    notes = Notes(arguments.folder / "notes")
    while True:
        try:
            print(json.dumps(recover(chain, notes)), flush=True)
            work(chain, notes)
        except ChainUnavailable:
            time.sleep(0)  # its anvil was killed: bring it back
        except ChainError as error:
            print(json.dumps({"error": type(error).__name__, "text": str(error)}), flush=True)
            return 1


if __name__ == "__main__":
    sys.exit(main())
