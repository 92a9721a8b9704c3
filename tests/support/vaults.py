"""A vault with many wallets in it, made at once: as the desk makes them one by one, which takes longer."""

from __future__ import annotations

from ticketchain.sealing.seal import Purpose
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.keys import new_key

CHAIN = 31337


def fill(desk: SigningDesk, number: int) -> None:
    """So many wallets of fans."""
    seal = desk._fans.seal
    with desk.vault.entry(desk._clock()) as entry:
        for at in range(number):
            key = new_key(seal, Purpose.WALLET, owner := f"fan_{at:08}")
            row = (owner, key.address, key.sealed, key.version, entry.micros)
            entry.db.execute("INSERT INTO wallets VALUES (?, ?, ?, ?, ?)", row)
        entry.note("wallets made", "the test", number=number)
