"""Keys are what their rows say, and are used fast or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer.config import Config
from ticketchain.signer.keys import SlowBackend, address_of, assert_fast_backend, new_key, open_key
from ticketchain.signer.opening import open_desk


def test_a_signer_without_coincurve_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(str(tmp_path / "signer"), str(tmp_path / "master.key"), 31337, "http://localhost:8000")
    assert_fast_backend()
    open_desk(config).vault.close()
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.native.NativeECCBackend")
    with pytest.raises(SlowBackend, match="NativeECCBackend"):
        open_desk(config)


def test_a_key_is_opened_only_as_its_row_was_written(tmp_path: Path) -> None:
    seal = Seal(Keyring(tmp_path / "master.key"), 31337)
    mine, yours = (new_key(seal, Purpose.WALLET, owner) for owner in ("fan_1", "fan_2"))
    assert address_of(open_key(seal, mine, Purpose.WALLET)) == mine.address
    swaps = ({"sealed": yours.sealed}, {"owner": yours.owner}, {"address": yours.address})
    for row in (*(replace(mine, **swap) for swap in swaps), replace(yours, owner=mine.owner)):
        with pytest.raises(SealBroken):
            open_key(seal, row, Purpose.WALLET)
    for purpose in set(Purpose) - {Purpose.WALLET}:
        with pytest.raises(SealBroken):
            open_key(seal, mine, purpose)
