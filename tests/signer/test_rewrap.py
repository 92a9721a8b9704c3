"""All keys of a vault are sealed anew while the signer serves; who dies in between is followed by one who ends it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.support.vaults import CHAIN, fill
from ticketchain.cli.signer import app
from ticketchain.demo.passkey import SoftPasskey, from_text, to_text
from ticketchain.domain.consents import Gift, RefundsPaid
from ticketchain.domain.consents import Paid as PaidLine
from ticketchain.domain.proofs import PasskeyProof, Registration
from ticketchain.sealing.errors import KeyProviderDown, SealBroken
from ticketchain.sealing.keyring import Keyring, rotate
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer import log, rewrap
from ticketchain.signer.config import Config
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.keys import SealedKey, open_key
from ticketchain.signer.opening import open_desk
from ticketchain.signer.vault import Vault
from ticketchain.usecases.parts import Signer
from ticketchain.wallets.child import start
from ticketchain.wallets.remote import RemoteSigner

LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
FAN = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
MANY = 1_300  # more than two batches and one data key


@dataclass
class Place:
    """A signer's folder, with many wallets in its vault."""

    folder: Path

    @property
    def ring(self) -> Path:
        return self.folder / "keys" / "master.key"

    def config(self) -> Config:
        return Config(str(self.folder / "signer"), str(self.ring), CHAIN, "http://localhost:8000", (LEDGER,))

    def desk(self) -> SigningDesk:
        return open_desk(self.config())

    def seal(self) -> Seal:
        return Seal(Keyring(self.ring), CHAIN)

    def vault(self) -> Vault:
        return Vault(self.folder / "signer" / "vault.db", CHAIN)

    def rows(self, query: str) -> list[Any]:
        with sqlite3.connect(self.folder / "signer" / "vault.db") as db:
            return db.execute(query).fetchall()

    def versions(self) -> set[int]:
        tables = ("wallets", "entry_keys", "operator_keys")
        return {version for table in tables for (version,) in self.rows(f"SELECT DISTINCT version FROM {table}")}

    def rewrap(self, progress: rewrap.Progress = lambda done, all_: None) -> rewrap.Rewrapped:
        vault = self.vault()
        try:
            return rewrap.rewrap(vault, self.seal(), 2, lambda: datetime.now(UTC), progress)
        finally:
            vault.close()

    def check_all_open(self) -> None:
        """Every wallet's key opens under the version that its row names, and is still the address's."""
        seal = self.seal()
        rows = self.rows("SELECT owner, address, sealed, version FROM wallets")
        assert len(rows) >= MANY
        for row in rows:
            open_key(seal, SealedKey(*row), Purpose.WALLET)

    def noted(self) -> int:
        """How many keys were sealed anew, by the log, which is whole."""
        entries = log.entries(sqlite3.connect(self.folder / "signer" / "vault.db"), 0, 100_000)
        assert log.problems(entries) == []
        return sum(json.loads(entry.detail)["number"] for entry in entries if entry.kind == "keys sealed anew")


Serving = Callable[[Place], AbstractContextManager[Signer]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with many wallets, made once: a test works on a copy."""
    place = Place(tmp_path_factory.mktemp("filled"))
    desk = place.desk()
    fill(desk, MANY)
    desk.new_entry_key(1)
    desk.vault.close()
    return place.folder


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "place")
    subprocess.run(["cp", "-a", filled, place.folder], check=True)
    yield place


def test_all_keys_are_sealed_under_the_newest_version_and_stay_the_same(place: Place) -> None:
    before = place.rows("SELECT owner, address, sealed FROM wallets ORDER BY owner")
    rotate(place.ring, "file")
    assert place.rewrap() == rewrap.Rewrapped(MANY + 4, 2, ())  # an entry key, relayer, attestor and admin
    after = place.rows("SELECT owner, address, sealed FROM wallets ORDER BY owner")
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert not {row[2] for row in before} & {row[2] for row in after}
    assert place.versions() == {2}
    place.ring.unlink()  # version 1 is needed for nothing any more
    place.check_all_open()
    desk = place.desk()
    desk.attest(RefundsPaid(1, 500, [PaidLine(b"r" * 16, 4500)]))
    desk.vault.close()
    assert place.rewrap().done == 0


def test_without_the_rewrap_the_old_version_is_needed(place: Place) -> None:
    rotate(place.ring, "file")
    place.ring.unlink()
    with pytest.raises(SealBroken, match="version 1"):
        place.check_all_open()


@contextmanager
def in_process(place: Place) -> Iterator[Signer]:
    desk = place.desk()
    try:
        yield desk
    finally:
        desk.vault.close()


@contextmanager
def in_its_own_process(place: Place) -> Iterator[Signer]:
    child = start(replace(place.config(), is_child=True))
    remote = RemoteSigner(place.folder / "signer", operator=True)
    try:
        yield remote
    finally:
        remote.close()
        child.stop()


@pytest.mark.parametrize("serving", [in_process, in_its_own_process])
def test_a_signer_that_serves_meanwhile_signs_makes_wallets_and_notices_nothing(place: Place, serving: Serving) -> None:
    with serving(place) as signer:
        check_that_it_signs_on(place, Signing(signer))
    place.check_all_open()


def check_that_it_signs_on(place: Place, signing: Signing) -> None:
    signing.once()
    rotate(place.ring, "file")
    thread = threading.Thread(target=signing.go_on)
    thread.start()
    try:
        done = place.rewrap(signing.once_more).done
    finally:
        signing.end.set()
        thread.join()
    assert signing.problem is None
    assert signing.times >= 3
    assert place.versions() == {2}  # also the wallets that were made meanwhile
    assert done >= MANY + 4
    signing.once()


class Signing:
    """A fan who gives a ticket away again and again, beside new wallets, new entry keys, leases and attestations."""

    def __init__(self, desk: Signer) -> None:
        self.desk, self.times = desk, 0
        self.end = threading.Event()
        self.problem: BaseException | None = None
        self.address = desk.wallet("fan_of_the_test")
        self.passkey = SoftPasskey.at("http://localhost:8000", "localhost")
        made = self.passkey.register(to_text(desk.begin_enrolment("fan_of_the_test")))
        given = [from_text(made[name]) for name in ("id", "client_data_json", "attestation_object")]
        desk.enrol("fan_of_the_test", Registration(*given), "phone")

    def once(self) -> None:
        soon = datetime.now(UTC) + timedelta(hours=1)
        gift = Gift(1 << 24, self.times, FAN, False, int(soon.timestamp()))
        said = self.passkey.sign(to_text(self.desk.challenge(gift)))
        fields = ("id", "client_data_json", "authenticator_data", "signature")
        assert (
            len(self.desk.consent(self.address, gift, PasskeyProof(*(from_text(said[name]) for name in fields)))) == 65
        )
        self.desk.attest(RefundsPaid(1, self.times, [PaidLine(b"r" * 16, 4500)]))
        self.desk.wallet(f"fan_new_{self.times}")
        self.desk.new_entry_key(2)
        self.times += 1

    def go_on(self) -> None:
        try:
            while not self.end.is_set() and self.times < 15:  # a wallet's velocity limit
                self.once()
        except BaseException as problem:
            self.problem = problem
        self.end.set()

    def once_more(self, done: int, all_: int) -> None:
        """Between two steps of the rewrap something was signed."""
        before = self.times
        while self.times == before and not self.end.is_set():
            time.sleep(0.002)


KILLED = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Seal
from ticketchain.signer import rewrap
from ticketchain.signer.vault import Vault
from ticketchain.usecases.parts import Signer
from ticketchain.wallets.child import start
from ticketchain.wallets.remote import RemoteSigner

def progress(done, all_):
    print(done, flush=True)
    time.sleep(0.1 if done else 0)

rewrap.BATCH = 100
vault, seal = Vault(Path(sys.argv[1]), 31337), Seal(Keyring(Path(sys.argv[2])), 31337)
rewrap.rewrap(vault, seal, 2, lambda: datetime.now(UTC), progress)
"""


def test_one_that_is_killed_is_followed_by_one_that_goes_on_where_it_was(place: Place) -> None:
    rotate(place.ring, "file")
    words = [sys.executable, "-c", KILLED, str(place.folder / "signer" / "vault.db"), str(place.ring)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        while int(killed.stdout.readline()) < 300:
            pass
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert place.versions() == {1, 2}
    place.check_all_open()  # in between, both versions are readable
    done = place.noted()
    assert 300 <= done < MANY
    assert place.rewrap().done == MANY + 4 - done  # nothing is done twice
    assert place.versions() == {2}
    assert place.noted() == MANY + 4
    place.check_all_open()


def test_a_key_that_does_not_open_is_named_and_left_and_the_others_are_done(place: Place) -> None:
    rotate(place.ring, "file")
    (owner, sealed), *_ = place.rows("SELECT owner, sealed FROM wallets ORDER BY owner LIMIT 1")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with sqlite3.connect(place.folder / "signer" / "vault.db") as db:
        db.execute("UPDATE wallets SET sealed = ? WHERE owner = ?", (changed, owner))
    assert place.rewrap() == rewrap.Rewrapped(MANY + 3, 2, (f"wallets {owner}",))
    assert place.rows("SELECT owner, sealed FROM wallets WHERE version = 1") == [(owner, changed)]


def test_an_outage_of_what_keeps_the_key_loses_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(place.ring, "file")
    works, calls = Keyring.unwrap, list[int]()

    def fails(self: Keyring, wrapped: bytes, version: int) -> bytes:
        calls.append(version)
        if len(calls) > 3:
            raise KeyProviderDown("not now")
        return works(self, wrapped, version)

    monkeypatch.setattr(rewrap, "BATCH", 200)
    monkeypatch.setattr(Keyring, "unwrap", fails)
    with pytest.raises(KeyProviderDown):
        place.rewrap()
    monkeypatch.undo()
    assert place.versions() == {1, 2}
    place.check_all_open()
    place.rewrap()
    assert place.versions() == {2}
    place.check_all_open()


def test_a_row_that_changed_since_it_was_read_is_not_overwritten(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(place.ring, "file")
    seal, works, changed = place.seal(), Seal.reseal, list[Any]()

    def late(
        self: Seal, sealed: bytes, version: int, address: str, purpose: Purpose, owner: str = ""
    ) -> tuple[bytes, int]:
        if purpose == Purpose.WALLET and not changed:
            other = works(seal, sealed, version, address, purpose, owner)
            with sqlite3.connect(place.folder / "signer" / "vault.db") as db:
                db.execute("UPDATE wallets SET sealed = ?, version = ? WHERE owner = ?", (*other, owner))
            changed.append((owner, other[0]))
        return works(self, sealed, version, address, purpose, owner)

    monkeypatch.setattr(Seal, "reseal", late)
    assert place.rewrap().done == MANY + 3
    ((owner, sealed),) = changed
    assert place.rows(f"SELECT sealed FROM wallets WHERE owner = '{owner}'") == [(sealed,)]


def command(place: Place, *words: str, **settings: str) -> Result:
    """`ticketchain signer …`, in this process."""
    runner = CliRunner(env={f"TICKETCHAIN_{name.upper()}": value for name, value in settings.items()})
    return runner.invoke(app, [*words, "--data", str(place.folder)])


def test_rotate_and_rewrap_from_the_command_line(place: Place) -> None:
    rotated = command(place, "rotate")
    assert (rotated.exit_code, "version 2 of the wrapping key is kept at file" in rotated.stderr) == (0, True)
    done = command(place, "rewrap", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"done": MANY + 4, "version": 2, "broken": []})
    assert place.versions() == {2}
    assert place.noted() == MANY + 4
    (owner,) = place.rows("SELECT owner FROM wallets ORDER BY owner LIMIT 1")[0]
    with sqlite3.connect(place.folder / "signer" / "vault.db") as db:
        db.execute("UPDATE wallets SET sealed = ?, version = 1 WHERE owner = ?", (b"junk", owner))
    spoiled = command(place, "rewrap")
    assert (spoiled.exit_code, f"wallets {owner}: does not open" in spoiled.stdout) == (1, True)


def test_the_command_line_refuses_in_one_sentence_what_cannot_be(place: Place, tmp_path: Path) -> None:
    mistyped = command(Place(tmp_path / "nowhere"), "rotate")
    assert (mistyped.exit_code, "has no vault" in mistyped.stderr) == (1, True)
    assert not (tmp_path / "nowhere").exists()
    for provider, said in (("vault:http://10.0.0.1:8200#tickets", "use https"), ("usb", "is no place for a key")):
        refused = command(place, "rotate", key_provider=provider)
        assert (refused.exit_code, said in refused.stderr, refused.stderr.count("\n")) == (1, True, 1)
    assert [each.name for each in place.ring.parent.iterdir()] == ["master.key"]
