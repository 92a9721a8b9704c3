"""Sealed keys open only as what they were made for, and nothing prints them."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ticketchain.sealing.errors import KeyFileProblem, SealBroken
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import SEALS_PER_KEY, Purpose, Seal
from ticketchain.signer.keys import SealedKey, new_key, open_key

CHAIN = 31337
ADDRESS = "0x00000000000000000000000000000000000000A1"
SECRET = bytes(range(32))


@pytest.fixture
def provider(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "secrets" / "master.key")


@pytest.fixture
def seal(provider: Keyring) -> Seal:
    return Seal(provider, CHAIN)


def test_an_untouched_seal_opens_also_after_a_restart(seal: Seal, tmp_path: Path) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    restarted = Seal(Keyring(tmp_path / "secrets" / "master.key"), CHAIN)
    assert restarted.open(sealed, version, ADDRESS, Purpose.WALLET) == SECRET
    assert SECRET not in sealed


def test_every_single_changed_byte_of_the_ciphertext_is_noticed(seal: Seal) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    for place in range(len(sealed)):
        tampered = bytearray(sealed)
        tampered[place] ^= 1
        with pytest.raises(SealBroken):
            seal.open(bytes(tampered), version, ADDRESS, Purpose.WALLET)


@pytest.mark.parametrize("length", [0, 1, 2, 40, 61, 62, 100])
def test_a_cut_off_seal_is_noticed(seal: Seal, length: int) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    with pytest.raises(SealBroken):
        seal.open(sealed[:length], version, ADDRESS, Purpose.WALLET)


def test_wrong_associated_data_does_not_open(seal: Seal, provider: Keyring) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    for purpose in set(Purpose) - {Purpose.WALLET}:
        with pytest.raises(SealBroken, match="purpose"):
            seal.open(sealed, version, ADDRESS, purpose)
    with pytest.raises(SealBroken, match="address"):
        seal.open(sealed, version, ADDRESS.replace("A1", "A2"), Purpose.WALLET)
    with pytest.raises(SealBroken, match="on chain 1:"):
        Seal(provider, 1).open(sealed, version, ADDRESS, Purpose.WALLET)
    with pytest.raises(SealBroken, match="key version 2"):
        seal.open(sealed, 2, ADDRESS, Purpose.WALLET)


def test_a_seal_opens_for_its_owner_only(seal: Seal) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET, "fan_1")
    assert seal.open(sealed, version, ADDRESS, Purpose.WALLET, "fan_1") == SECRET
    for other in ("fan_2", "fan_", "", "fan_1/", f"{ADDRESS.lower()}/fan_1"):
        with pytest.raises(SealBroken, match="another owner"):
            seal.open(sealed, version, ADDRESS, Purpose.WALLET, other)


def test_the_version_is_bound_even_where_the_key_file_is_the_same(seal: Seal) -> None:
    class AnyVersion:
        """Unwraps whatever version it is told, so that only the seal's own binding is left."""

        version = 1

        def wrap(self, data_key: bytes, version: int) -> bytes:
            return data_key

        def unwrap(self, wrapped: bytes, version: int) -> bytes:
            return wrapped

    lax = Seal(AnyVersion(), CHAIN)
    sealed, version = lax.close(SECRET, ADDRESS, Purpose.WALLET)
    assert lax.open(sealed, version, ADDRESS, Purpose.WALLET) == SECRET
    with pytest.raises(SealBroken):
        lax.open(sealed, version + 1, ADDRESS, Purpose.WALLET)


def test_another_key_file_opens_nothing(seal: Seal, tmp_path: Path) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    with pytest.raises(SealBroken, match="another key"):
        Seal(Keyring(tmp_path / "other.key"), CHAIN).open(sealed, version, ADDRESS, Purpose.WALLET)


def test_a_seal_moved_to_another_wallets_row_does_not_open(seal: Seal) -> None:
    mine, yours = new_key(seal, Purpose.WALLET, "a"), new_key(seal, Purpose.WALLET, "a")
    with pytest.raises(SealBroken):
        open_key(seal, replace(mine, sealed=yours.sealed), Purpose.WALLET)


def test_a_key_that_is_not_the_addresss_is_refused(seal: Seal) -> None:
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    with pytest.raises(SealBroken, match="not that of"):
        open_key(seal, SealedKey("", ADDRESS, sealed, version), Purpose.WALLET)


def test_a_data_key_is_renewed_after_its_share_of_seals(seal: Seal) -> None:
    wrapped = [seal.close(SECRET, ADDRESS, Purpose.WALLET)[0][2:62] for _ in range(SEALS_PER_KEY + 1)]
    assert len(set(wrapped[:-1])) == 1
    assert wrapped[-1] != wrapped[0]


def test_sealing_twice_gives_different_bytes(seal: Seal) -> None:
    seals = {seal.close(SECRET, ADDRESS, Purpose.WALLET)[0] for _ in range(200)}
    assert len(seals) == 200


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "master.key"
    Keyring(path)
    first = path.read_bytes()
    Keyring(path)
    assert (len(first), path.read_bytes()) == (32, first)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["master.key"]


def test_many_who_start_at_once_share_one_key_file(tmp_path: Path) -> None:
    path, providers = tmp_path / "master.key", list[Keyring]()
    together = threading.Barrier(8)

    def start() -> None:
        together.wait()
        providers.append(Keyring(path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrapped = providers[0].wrap(SECRET, 1)
    assert [provider.unwrap(wrapped, 1) for provider in providers] == [SECRET] * 8


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    Keyring(path)
    path.chmod(mode)
    with pytest.raises(KeyFileProblem, match="chmod 600"):
        Keyring(path)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_key_file_of_another_length_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(KeyFileProblem, match="32 bytes"):
        Keyring(path)


def test_a_folder_in_place_of_the_key_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeyFileProblem, match="key file"):
        Keyring(tmp_path)


def test_no_key_material_in_any_text(seal: Seal, provider: Keyring) -> None:
    admin = new_key(seal, Purpose.ADMIN, "admin")
    sealed, version = seal.close(SECRET, ADDRESS, Purpose.WALLET)
    with pytest.raises(SealBroken) as broken:
        seal.open(sealed, version, ADDRESS, Purpose.RELAYER)
    key = open_key(seal, admin, Purpose.ADMIN)
    texts = "".join(map(repr, (seal, provider, admin, broken.value, broken.value.extra, key)))
    assert broken.value.__context__ is None
    for secret in (SECRET, key.secret, admin.sealed):
        assert secret.hex() not in texts
        assert repr(secret)[2:-1] not in texts
