"""The operator's own keys: relayers, attestor, and the admin that deploys the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from eth_hash.auto import keccak

from ticketchain.domain.errors import SignerRefused
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer.keys import SealedKey, new_key, open_key, sign_digest
from ticketchain.signer.vault import Entry


@dataclass(frozen=True)
class LocalKeys:
    """Keys sealed in the vault, one for each of the operator's tasks; as many relayers as shall send side by side."""

    seal: Seal
    keys: dict[str, tuple[SealedKey, Purpose]]

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions."""
        return tuple(address for address, (_, purpose) in self.keys.items() if purpose == Purpose.RELAYER)

    @property
    def attestor(self) -> str:
        """Address that attests payments."""
        return self._only(Purpose.ATTESTOR)

    @property
    def admin(self) -> str:
        """Address that deploys ledgers and gives roles."""
        return self._only(Purpose.ADMIN)

    def sign(self, address: str, preimage: bytes) -> bytes:
        """A signature (65 bytes) over the keccak-256 of this. Raises `SignerRefused`, `SealBroken`."""
        if address not in self.keys:
            raise SignerRefused(f"signer: {address} is no key of this installation")
        return sign_digest(open_key(self.seal, *self.keys[address]), keccak(preimage))

    def _only(self, wanted: Purpose) -> str:
        return next(address for address, (_, purpose) in self.keys.items() if purpose == wanted)


def open_operator(entry: Entry, seal: Seal, relayers: int) -> LocalKeys:
    """The operator's keys with so many relayers; those that the vault does not have yet are made.

    Raises `SealBroken` when one does not open: better at the start than at the first sale.
    """
    names = {"relayer" if not n else f"relayer-{n}": Purpose.RELAYER for n in range(relayers)}
    names |= {"attestor": Purpose.ATTESTOR, "admin": Purpose.ADMIN}
    keys = {}
    for name, purpose in names.items():
        key = _key(entry, seal, name, purpose)
        open_key(seal, key, purpose)
        keys[key.address] = key, purpose
    return LocalKeys(seal, keys)


def _key(entry: Entry, seal: Seal, name: str, purpose: Purpose) -> SealedKey:
    query = "SELECT address, sealed, version FROM operator_keys WHERE name = ?"
    row = entry.db.execute(query, (name,)).fetchone()
    if row is not None:
        return SealedKey(name, *row)
    made = new_key(seal, purpose, name)
    values = (name, made.address, "local", made.sealed, made.version, "")
    entry.db.execute("INSERT INTO operator_keys VALUES (?, ?, ?, ?, ?, ?)", values)
    entry.note("key made", name, address=made.address)
    return made
