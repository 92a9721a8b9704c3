"""The wrapping key is far away: who needs it waits, nobody else does, and an outage is not asked after by everyone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from ticketchain.domain.consents import Paid, RefundsPaid
from ticketchain.domain.errors import Unavailable
from ticketchain.sealing import keyring
from ticketchain.sealing.errors import DataKeyNeeded, KeyProviderDown
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import SEALS_PER_KEY, Purpose, Seal
from ticketchain.signer.config import Config
from ticketchain.signer.desk import Request, SigningDesk
from ticketchain.signer.fans import _LEASE, _LEASE_BYTES
from ticketchain.signer.opening import open_desk

LEASE = _LEASE + bytes(_LEASE_BYTES - len(_LEASE))
REFUNDS = RefundsPaid(1, 500, [Paid(b"r" * 16, 4500)])


@contextmanager
def desk_at(folder: Path) -> Iterator[SigningDesk]:
    config = Config(
        str(folder / "signer"),
        str(folder / "keys" / "master.key"),
        31337,
        "http://localhost:8000",
        ("0x5FbDB2315678afecb367f032d93F642f64180aa3",),
    )
    desk = open_desk(config)
    try:
        yield desk
    finally:
        desk.vault.close()


@pytest.fixture
def entry_key(tmp_path: Path) -> bytes:
    """Made by a signer that has ended, so that the next one must have its data key opened."""
    with desk_at(tmp_path) as desk:
        desk._seal._left = 0  # the operator's keys, which are opened at the start, share no data key with it
        return desk.new_entry_key(1)


class FarAway:
    """Takes its time to unwrap, until it is let go."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked, self.go, works = threading.Event(), threading.Event(), Keyring.unwrap

        def unwrap(ring: Keyring, wrapped: bytes, version: int) -> bytes:
            self.asked.set()
            assert self.go.wait(20)
            return works(ring, wrapped, version)

        patch.setattr(Keyring, "unwrap", unwrap)


def in_background(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    answers = list[object]()
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    return thread, answers


def noted(calls: list[str], name: str, works: Callable[..., bytes]) -> Callable[..., bytes]:
    def call(*arguments: Any) -> bytes:
        calls.append(name)
        return works(*arguments)

    return call


@pytest.mark.parametrize("inside", [False, True], ids=["outside of the transaction", "inside: convicted"])
def test_while_one_waits_for_the_key_others_are_served(
    entry_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    if inside:
        monkeypatch.setattr(Seal, "asking_nobody", lambda seal: nullcontext())
    with desk_at(tmp_path) as desk:
        far = FarAway(monkeypatch)
        fan, lease = in_background(lambda: desk.sign_lease(entry_key, LEASE))
        assert far.asked.wait(10)
        operator, attested = in_background(lambda: desk.attest(REFUNDS))
        operator.join(0.5 if inside else 10)
        assert operator.is_alive() == inside
        far.go.set()
        fan.join()
        operator.join()
        assert [len(answer) for answer in (*lease, *attested) if isinstance(answer, bytes)] == [64, 65]


def test_requests_that_need_the_same_key_ask_once_and_all_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk_at(tmp_path) as desk:
        desk._seal._left = 0
        asked = list[str]()
        for name in ("wrap", "unwrap"):
            monkeypatch.setattr(Keyring, name, noted(asked, name, getattr(Keyring, name)))
        number = SEALS_PER_KEY + 20
        answers = desk.handle_all([Request("wallet", {"owner": f"fan_{n}"}) for n in range(number)])
        assert len({answer for answer in answers if isinstance(answer, str)}) == number
        assert asked == ["wrap", "unwrap"] * 2  # one data key for a thousand, one for the rest
        with desk.vault.entry(desk._clock()) as entry:
            (notes,) = entry.db.execute("SELECT count(*) FROM log WHERE kind = 'wallet made'").fetchone()
        assert notes == number  # what had to wait was undone first, also in the log


def test_in_an_outage_the_first_waits_and_the_others_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk_at(tmp_path) as desk:
        desk._seal._left = 0
        tried = list[Any]()

        def down(data_key: bytes, version: int) -> bytes:
            tried.append(version)
            raise KeyProviderDown("Vault does not answer (ReadTimeout); try again later")

        ring = desk._seal._provider
        assert isinstance(ring, Keyring)
        works = ring._key(1).wrap
        monkeypatch.setattr(ring._key(1), "wrap", down)
        monkeypatch.setattr(keyring, "REST_S", 0.5)
        requests = [Request("wallet", {"owner": f"fan_{n}"}) for n in range(30)]
        for answer in desk.handle_all(requests):
            assert isinstance(answer, Unavailable) and not isinstance(answer, DataKeyNeeded)
            assert "try again later" in str(answer)
        assert len(tried) == 1
        assert len(desk.attest(REFUNDS)) == 65
        monkeypatch.setattr(ring._key(1), "wrap", works)
        ring._rests.clear()  # the rest is over
        assert all(isinstance(answer, str) for answer in desk.handle_all(requests))


def test_outside_of_a_transaction_a_seal_asks_by_itself(tmp_path: Path) -> None:
    seal = Seal(Keyring(tmp_path / "master.key"), 1)
    with seal.asking_nobody(), pytest.raises(DataKeyNeeded) as needed:
        seal.close(bytes(32), "0xA1", Purpose.WALLET)
    needed.value.fetch()
    with seal.asking_nobody():
        sealed, version = seal.close(bytes(32), "0xA1", Purpose.WALLET)
    other = Seal(Keyring(tmp_path / "master.key"), 1)
    with other.asking_nobody(), pytest.raises(DataKeyNeeded):
        other.open(sealed, version, "0xA1", Purpose.WALLET)
    assert other.open(sealed, version, "0xA1", Purpose.WALLET) == bytes(32)
