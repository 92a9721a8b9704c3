"""The operator's own keys: relayers, attestor, and the admin that deploys the ledger; in the vault or elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ticketchain.domain.errors import SignerRefused
from ticketchain.sealing.errors import KeyProviderProblem
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer.keys import SealedKey, new_key
from ticketchain.signer.operator_keys import LOCAL, LocalOperatorKey, OperatorKey, key_elsewhere
from ticketchain.signer.vault import Entry

RELAYER, ATTESTOR, ADMIN = "relayer", "attestor", "admin"


@dataclass(frozen=True)
class NamedKeys:
    """The operator's keys by name: `relayer`, `relayer-1` and so on, `attestor`, `admin`.

    `retired`: addresses of the keys that did these tasks before they moved elsewhere, and shall have no role any more.
    """

    keys: Mapping[str, OperatorKey]
    retired: tuple[str, ...] = ()

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions."""
        return tuple(key.address for name, key in self.keys.items() if name.startswith(RELAYER))

    @property
    def attestor(self) -> str:
        """Address that attests payments."""
        return self.keys[ATTESTOR].address

    @property
    def admin(self) -> str:
        """Address that deploys ledgers and gives roles."""
        return self.keys[ADMIN].address

    def sign(self, address: str, preimage: bytes) -> bytes:
        """A signature (65 bytes) over the keccak-256 of this. Raises `SignerRefused` and what `OperatorKey` raises."""
        if address not in self._by_address:
            raise SignerRefused(f"signer: {address} is no key of this installation")
        return self._by_address[address].sign(preimage)

    @cached_property
    def _by_address(self) -> dict[str, OperatorKey]:
        return {key.address: key for key in self.keys.values()}


def open_elsewhere(places: Mapping[str, str], relayers: int) -> dict[str, tuple[str, OperatorKey]]:
    """Place and key of all that are not in the vault, by name; they are asked for their addresses.

    Raises `KeyProviderProblem` for a name or place that cannot be, `KeyProviderDown`.
    """
    names = _purposes(relayers)
    if unknown := sorted(set(places) - set(names)):
        raise KeyProviderProblem(f"operator_keys: {unknown[0]!r} is no key; there are {', '.join(names)}")
    return {name: (place, key_elsewhere(place)) for name, place in places.items() if place != LOCAL}


def open_operator(
    entry: Entry, seal: Seal, relayers: int, elsewhere: Mapping[str, tuple[str, OperatorKey]] | None = None
) -> NamedKeys:
    """The operator's keys with so many relayers; those that the vault shall have and does not have yet are made.

    Raises `SealBroken` when one does not open: better at the start than at the first sale; `SignerRefused` when one
    that is kept elsewhere is not the key that was there before, or is another task's, or when the admin of a ledger
    would be another one.
    """
    keys, away = dict[str, OperatorKey](), elsewhere or {}
    for name, purpose in _purposes(relayers).items():
        if name in away:
            keys[name] = _known(entry, name, *away[name])
        else:
            keys[name] = LocalOperatorKey(seal, _sealed(entry, seal, name, purpose), purpose)
    return NamedKeys(keys, _retired(entry, keys))


def _retired(entry: Entry, keys: Mapping[str, OperatorKey]) -> tuple[str, ...]:
    rows = entry.db.execute("SELECT name, address FROM operator_keys ORDER BY name").fetchall()
    former = [(name.partition("@")[0], address) for name, address in rows]
    former = [(task, address) for task, address in former if task in keys and address != keys[task].address]
    has_ledgers = entry.db.execute("SELECT 1 FROM ledgers").fetchone() is not None
    if has_ledgers and (admins := [address for task, address in former if task == ADMIN]):
        raise SignerRefused(
            f"operator_keys: the ledger's admin is {admins[0]}, not {keys[ADMIN].address}; where it is kept is chosen "
            "before the first ledger is deployed"
        )
    return tuple(address for _, address in former)


def _purposes(relayers: int) -> dict[str, Purpose]:
    names = {RELAYER if not n else f"{RELAYER}-{n}": Purpose.RELAYER for n in range(relayers)}
    return names | {ATTESTOR: Purpose.ATTESTOR, ADMIN: Purpose.ADMIN}


def _sealed(entry: Entry, seal: Seal, name: str, purpose: Purpose) -> SealedKey:
    query = "SELECT address, sealed, version FROM operator_keys WHERE name = ?"
    row = entry.db.execute(query, (name,)).fetchone()
    if row is not None:
        return SealedKey(name, *row)
    made = new_key(seal, purpose, name)
    _add(entry, name, made.address, LOCAL, made.sealed, made.version)
    entry.note("key made", name, address=made.address)
    return made


def _known(entry: Entry, name: str, place: str, key: OperatorKey) -> OperatorKey:
    """Remembers a key that is kept elsewhere; one of that name in the vault stays there unused."""
    stored, query = f"{name}@{place}", "SELECT name, address FROM operator_keys WHERE name = ? OR address = ?"
    rows = entry.db.execute(query, (stored, key.address)).fetchall()
    for known, address in rows:
        if address != key.address:
            raise SignerRefused(f"operator_keys: {name} at {place} is {key.address} now, but was {address}")
        if (task := known.partition("@")[0]) != name:
            raise SignerRefused(f"operator_keys: {place} is the key of {task} already; {name} needs one of its own")
    if not rows:
        _add(entry, stored, key.address, place.partition(":")[0], b"", 0, place)
        entry.note("key known", name, address=key.address, place=place)
    return key


def _add(entry: Entry, name: str, address: str, kind: str, sealed: bytes, version: int, place: str = "") -> None:
    values = (name, address, kind, sealed, version, place)
    entry.db.execute("INSERT INTO operator_keys VALUES (?, ?, ?, ?, ?, ?)", values)
