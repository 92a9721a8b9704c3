"""The folder: damaged files are found and repaired, a failed write leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketchain.metadata.cid import cid_of
from ticketchain.metadata.store import CorruptContent, LocalStore, StoreUnavailable

DATA = b"seats of a hall"
CID = cid_of(DATA)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("damage", [b"", DATA[:-1], DATA + b"x", b"other"])
def test_a_damaged_file_is_never_given_out_and_putting_repairs_it(tmp_path: Path, damage: bytes) -> None:
    store = LocalStore(tmp_path)
    store.put(DATA)
    (path,) = files(tmp_path)
    path.write_bytes(damage)
    with pytest.raises(CorruptContent, match=CID):
        store.get(CID)
    store.put(DATA)
    assert store.get(CID) == DATA


def test_another_store_on_the_folder_sees_it(tmp_path: Path) -> None:
    LocalStore(tmp_path).put(DATA)
    assert LocalStore(tmp_path).get(CID) == DATA


def test_a_crash_in_the_middle_of_a_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(descriptor: int) -> None:
        raise KeyboardInterrupt

    store = LocalStore(tmp_path)
    monkeypatch.setattr("os.fsync", power_cut)
    with pytest.raises(KeyboardInterrupt):
        store.put(DATA)
    monkeypatch.undo()
    assert files(tmp_path) == [] and not store.has(CID)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store = LocalStore(tmp_path)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreUnavailable, match=r"cannot write in the content folder .*: No space left on device"):
        store.put(DATA)
    monkeypatch.undo()
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="cannot write"):
        LocalStore(tmp_path / "file").put(DATA)
    with pytest.raises(StoreUnavailable, match="cannot read"):
        LocalStore(tmp_path / "file").get(CID)
