"""Wherever a wrapping key is kept, it does the same: the tests of this file are run on every place."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.sealing.conftest import Bench
from tests.support.key_services import OUTAGES, TOKEN, Trouble, VaultPeer
from ticketchain.domain.errors import Unavailable
from ticketchain.sealing.errors import KeyProviderDown, KeyProviderProblem, SealBroken
from ticketchain.sealing.keyring import rotate
from ticketchain.sealing.seal import Purpose, Seal

pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")  # boto3 keeps its connections

DATA_KEY = bytes(range(32))
ADDRESS = "0x00000000000000000000000000000000000000A1"


def test_what_is_wrapped_comes_back_also_after_a_restart(bench: Bench) -> None:
    wrapped = bench.ring().wrap(DATA_KEY, 1)
    assert bench.ring().unwrap(wrapped, 1) == DATA_KEY
    assert DATA_KEY not in wrapped
    assert bench.ring().version == 1


def test_wrapping_twice_gives_different_bytes(bench: Bench) -> None:
    ring = bench.ring()
    assert ring.wrap(DATA_KEY, 1) != ring.wrap(DATA_KEY, 1)


def test_changed_and_cut_off_bytes_do_not_open(bench: Bench) -> None:
    ring = bench.ring()
    wrapped = ring.wrap(DATA_KEY, 1)
    last = bytes([wrapped[-8] ^ 1])
    for bad in (
        wrapped[:-8] + last + wrapped[-7:],
        wrapped[:-1],
        wrapped[: len(wrapped) // 2],
        wrapped[:1],
        b"",
        b"x" * 60,
    ):
        with pytest.raises(SealBroken, match="does not open"):
            ring.unwrap(bad, 1)


def test_another_key_of_the_same_kind_opens_nothing(bench: Bench) -> None:
    wrapped = bench.ring().wrap(DATA_KEY, 1)
    with pytest.raises(SealBroken, match="does not open"):
        bench.ring(bench.other, "elsewhere").unwrap(wrapped, 1)


def test_the_version_is_bound_even_where_the_key_is_the_same(bench: Bench) -> None:
    wrapped = bench.ring().wrap(DATA_KEY, 1)
    rotate(bench.folder / "keys" / "master.key", bench.place)
    ring = bench.ring()
    assert ring.version == 2
    with pytest.raises(SealBroken, match="does not open"):
        ring.unwrap(wrapped, 2)
    assert ring.unwrap(wrapped, 1) == DATA_KEY
    with pytest.raises(SealBroken, match="key version 3 is not in"):
        ring.unwrap(wrapped, 3)


def test_after_a_rotation_old_seals_open_and_new_ones_use_the_new_key(bench: Bench) -> None:
    seal = Seal(bench.ring(), 31337)
    old = seal.close(DATA_KEY, ADDRESS, Purpose.WALLET, "fan_1")
    assert rotate(bench.folder / "keys" / "master.key", bench.other) == 2
    new = seal.close(DATA_KEY, ADDRESS, Purpose.WALLET, "fan_1")  # who was there before the rotation sees it at once
    assert (old[1], new[1]) == (1, 2)
    for each in (seal, Seal(bench.ring(bench.other), 31337)):
        for sealed, version in (old, new):
            assert each.open(sealed, version, ADDRESS, Purpose.WALLET, "fan_1") == DATA_KEY
    assert seal.reseal(*old, ADDRESS, Purpose.WALLET, "fan_1")[1] == 2


def test_a_key_may_move_from_any_place_to_any_other(bench: Bench, tmp_path: Path) -> None:
    seal = Seal(bench.ring("file"), 31337)
    old = seal.close(DATA_KEY, ADDRESS, Purpose.WALLET)
    path = bench.folder / "keys" / "master.key"
    rotate(path, bench.place)
    rotate(path, "file")
    moved = seal.reseal(*old, ADDRESS, Purpose.WALLET)
    assert moved[1] == 3
    assert Seal(bench.ring("file"), 31337).open(*moved, ADDRESS, Purpose.WALLET) == DATA_KEY
    if bench.place != "file":
        with pytest.raises(KeyProviderProblem, match="is at file"):  # a forgotten setting, seen from the other side
            bench.ring(bench.place)


def test_the_folder_has_no_key_that_is_kept_elsewhere_and_is_the_owners_alone(bench: Bench) -> None:
    bench.ring()
    (name,) = os.listdir(bench.folder / "keys")
    path = bench.folder / "keys" / name
    assert path.stat().st_mode & 0o777 == 0o600
    assert bench.place == "file" or bench.place in path.read_text()


def test_nothing_secret_is_in_any_text(bench: Bench) -> None:
    ring = bench.ring()
    with pytest.raises(SealBroken) as broken:
        ring.unwrap(ring.wrap(DATA_KEY, 1)[:-3], 1)
    assert broken.value.__cause__ is None
    texts = repr(ring) + repr(broken.value) + str(broken.value.extra) + repr(ring._key(1))
    for secret in (TOKEN, DATA_KEY.hex(), repr(DATA_KEY)[2:-1]):
        assert secret not in texts


@pytest.mark.parametrize("trouble", OUTAGES)
def test_an_outage_is_said_so_soon_and_changes_nothing(service: Bench, trouble: Trouble) -> None:
    assert service.fail is not None
    ring = service.ring()
    wrapped = ring.wrap(DATA_KEY, 1)
    service.fail(trouble)
    late = service.ring()
    for work in (partial(late.unwrap, wrapped, 1), partial(late.wrap, DATA_KEY, 1)):
        with pytest.raises(KeyProviderDown, match="try again later") as down:
            work()
        assert isinstance(down.value, Unavailable)
        assert TOKEN not in str(down.value)
    with pytest.raises(KeyProviderDown):
        rotate(service.folder / "keys" / "master.key", service.place)
    assert os.listdir(service.folder / "keys") == ["master.key"]


def test_a_seal_that_could_not_wrap_can_do_so_later(service: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = service.ring()
    seal, works = Seal(ring, 31337), ring.wrap

    def down(data_key: bytes, version: int) -> bytes:
        raise KeyProviderDown("not now")

    monkeypatch.setattr(ring, "wrap", down)
    with pytest.raises(KeyProviderDown):
        seal.close(DATA_KEY, ADDRESS, Purpose.WALLET)
    monkeypatch.setattr(ring, "wrap", works)
    sealed, version = seal.close(DATA_KEY, ADDRESS, Purpose.WALLET)
    assert seal.open(sealed, version, ADDRESS, Purpose.WALLET) == DATA_KEY


@pytest.mark.parametrize("trouble", ["denied", "nonsense"])
def test_what_somebody_must_mend_is_no_outage(service: Bench, trouble: Trouble) -> None:
    assert service.fail is not None
    wrapped = service.ring().wrap(DATA_KEY, 1)
    service.fail(trouble)
    late = service.ring()
    for work in (partial(late.unwrap, wrapped, 1), partial(late.wrap, DATA_KEY, 1)):
        with pytest.raises(KeyProviderProblem) as problem:
            work()
        assert TOKEN not in str(problem.value)


@pytest.mark.parametrize(
    "place",
    [
        "",
        "kms",
        "aws-kms:",
        "vault:tickets",
        "vault:https://v.test",
        "vault:http://v.test#tickets",
        "systemd:a/b",
        "file:x",
    ],
)
def test_a_place_that_cannot_be_is_one_clear_sentence(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(KeyProviderProblem, match="key_provider"):
        Bench(tmp_path, place, "").ring()
    assert not (tmp_path / "keys").exists()


def test_a_key_that_does_not_exist_is_refused_before_anything_is_written(service: Bench) -> None:
    missing = {"aws-kms": "aws-kms:alias/nobody", "vault": service.place.replace("#tickets", "#nobody")}
    with pytest.raises(KeyProviderProblem):
        service.ring(missing[service.place.partition(":")[0]])
    assert not (service.folder / "keys").exists()


def test_vault_gets_its_token_from_a_file_that_an_agent_renews(
    vault: VaultPeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, f"vault:{vault.url}#tickets", "")
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(tmp_path / "token"))
    (tmp_path / "token").write_text("expired")
    with pytest.raises(KeyProviderProblem, match="denies"):
        bench.ring()
    (tmp_path / "token").write_text(TOKEN + "\n")
    assert bench.ring().version == 1
    monkeypatch.delenv("VAULT_TOKEN_FILE")
    monkeypatch.delenv("VAULT_TOKEN")
    with pytest.raises(KeyProviderProblem, match="set VAULT_TOKEN"):
        bench.ring().wrap(DATA_KEY, 1)


def test_what_vault_rotates_by_itself_stays_readable(vault: VaultPeer, tmp_path: Path) -> None:
    ring = Bench(tmp_path, f"vault:{vault.url}#tickets", "").ring()
    before = ring.wrap(DATA_KEY, 1)
    vault.rotate("tickets")
    after = ring.wrap(DATA_KEY, 1)
    assert (before[:9], after[:9]) == (b"vault:v1:", b"vault:v2:")
    assert ring.unwrap(before, 1) == ring.unwrap(after, 1) == DATA_KEY


def test_without_boto3_the_sentence_says_what_to_install(
    service: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(KeyProviderProblem, match=r"pip install 'ticketchain\[aws\]'"):
        Bench(tmp_path / "new", "aws-kms:alias/tickets", "").ring()


def test_a_credential_that_systemd_did_not_give_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, "systemd:wrapping", "")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(KeyProviderProblem, match="LoadCredentialEncrypted=wrapping"):
        bench.ring()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(KeyProviderProblem, match="credential wrapping: No such file"):
        bench.ring()
    (tmp_path / "wrapping").write_bytes(b"short")
    with pytest.raises(KeyProviderProblem, match="exactly 32 bytes"):
        bench.ring()
