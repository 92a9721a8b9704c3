"""All versions of an installation's wrapping key, so that what an older one sealed stays readable.

A version is a file: `master.key` is version 1, `master-2.key` version 2 and so on. It holds either the key itself (32
bytes) or one sentence and the place where the key is kept (a KMS, Vault, a systemd credential). The newest one seals.
Only adding files changes what is there, so all who have the folder open see a new version at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from ticketchain.sealing.aws import KmsWrappingKey
from ticketchain.sealing.errors import KeyFileProblem, KeyProviderDown, KeyProviderProblem, SealBroken
from ticketchain.sealing.keyfile import make_file, read_file
from ticketchain.sealing.systemd import credential_key
from ticketchain.sealing.wrapping import KEY_BYTES, LocalKey, WrappingKey

FILE = "file"
REST_S = 2.0
"""How long nobody is asked again who did not answer."""


def _vault_key(place: str) -> WrappingKey:
    """Its HTTP client is imported only where there is a Vault: a signer that talks to nobody has none."""
    from ticketchain.sealing.vault import VaultWrappingKey

    return VaultWrappingKey(place)


_KEPT_ELSEWHERE = "This wrapping key is kept elsewhere, not in this file:\n"  # longer than a key: never taken for one
_OPENERS: dict[str, Callable[[str], WrappingKey]] = {
    "systemd": credential_key,
    "aws-kms": KmsWrappingKey,
    "vault": _vault_key,
}


class Keyring:
    """A `KeyProvider` with several versions, at `path` (`…/master.key`); the first one is made when there is none.

    `kept` says where new versions are kept: `file`, `systemd:NAME`, `aws-kms:KEY-ID` or `vault:URL#KEY`. Losing any
    version that is in use loses all wallets sealed under it. Raises `KeyProviderProblem`, also when the newest version
    is kept elsewhere than `kept` says: a forgotten setting must not bring a key back to this disk.
    """

    def __init__(self, path: Path, kept: str = FILE) -> None:
        self._path = path
        self._opened: dict[int, WrappingKey] = {}
        self._rests: dict[int, float] = {}
        self._newest = _newest(path) or _make(path, 1, kept)
        place = _place(path, self._newest)
        if place != kept:
            raise KeyProviderProblem(
                f"{path}: the wrapping key shall be kept at {kept}, but its newest version ({self._newest}) is at "
                f"{place}; set that, or make the next version (docs/keys.md)"
            )
        self._key(self._newest)

    @property
    def version(self) -> int:
        """Version of the newest wrapping key, stored beside every sealed key."""
        while _file(self._path, self._newest + 1).exists():
            self._newest += 1
        return self._newest

    def wrap(self, data_key: bytes, version: int) -> bytes:
        """The data key (32 bytes), encrypted under a version. Raises `SealBroken` when that is not here."""
        return self._unless_down(version, lambda: self._key(version).wrap(data_key, version))

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken` for a version that is not here, another key, or changed bytes."""
        return self._unless_down(version, lambda: self._key(version).unwrap(wrapped, version))

    def _unless_down(self, version: int, ask: Callable[[], bytes]) -> bytes:
        """What is asked. When nobody answered, it is refused at once for a while: not every request waits in vain."""
        if monotonic() < self._rests.get(version, 0):
            raise KeyProviderDown(f"what keeps version {version} of the wrapping key did not answer; try again later")
        try:
            return ask()
        except KeyProviderDown:
            self._rests[version] = monotonic() + REST_S
            raise

    def _key(self, version: int) -> WrappingKey:
        if version not in self._opened:
            if version < 1 or not _file(self._path, version).exists():
                raise SealBroken(f"key version {version} is not in {self._path.parent}; restore it from its backup")
            self._opened[version] = _open(self._path, version)
        return self._opened[version]


def rotate(path: Path, kept: str) -> int:
    """Makes the next version of a key ring and tries it; all new seals use it from now on. Its number.

    Raises `KeyProviderProblem` or `KeyProviderDown`, and then nothing has changed.
    """
    newest = _newest(path)
    if newest == 0:
        raise KeyProviderProblem(f"{path} does not exist, so there is nothing to rotate; set the data folder")
    return _make(path, newest + 1, kept)


def _make(path: Path, version: int, kept: str) -> int:
    """Writes a version's file, unless somebody else was first; one that is kept elsewhere must work before that."""
    content = secrets.token_bytes(KEY_BYTES) if kept == FILE else _KEPT_ELSEWHERE.encode() + kept.encode() + b"\n"
    if kept != FILE:
        key, sample = _elsewhere(kept), secrets.token_bytes(KEY_BYTES)
        if key.unwrap(key.wrap(sample, version), version) != sample:
            raise KeyProviderProblem(f"key_provider {kept} does not give back what it wrapped; look at its key")
    make_file(_file(path, version), content)
    return version


def _open(path: Path, version: int) -> WrappingKey:
    place = _place(path, version)
    return LocalKey(read_file(_file(path, version))) if place == FILE else _elsewhere(place)


def _place(path: Path, version: int) -> str:
    """Where a version is kept. Raises `KeyFileProblem` for a file that says neither."""
    content = read_file(_file(path, version))
    if len(content) == KEY_BYTES:
        return FILE
    text = content.decode(errors="replace")
    if not text.startswith(_KEPT_ELSEWHERE):
        raise KeyFileProblem(
            f"key file {_file(path, version)}: must hold exactly {KEY_BYTES} bytes; restore it from its backup"
        )
    return text.removeprefix(_KEPT_ELSEWHERE).strip()


def _elsewhere(place: str) -> WrappingKey:
    kind, _, rest = place.partition(":")
    if kind not in _OPENERS:
        raise KeyProviderProblem(
            f"key_provider: {place!r} is no place for a key; write file, systemd:NAME, aws-kms:KEY-ID or vault:URL#KEY"
        )
    return _OPENERS[kind](rest)


def _file(path: Path, version: int) -> Path:
    return path if version == 1 else path.with_name(f"{path.stem}-{version}{path.suffix}")


def _newest(path: Path) -> int:
    """Number of the newest version that is there, 0 without any."""
    named = re.compile(re.escape(path.stem) + r"-([1-9][0-9]{0,8})" + re.escape(path.suffix))
    found = [int(match[1]) for each in path.parent.glob("*") if (match := named.fullmatch(each.name))]
    return max([*found, int(path.exists())])
