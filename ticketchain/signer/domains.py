"""The ledgers that this signer signs for, by number, on its one chain. Nothing else can even be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.address import is_checksum_address

from ticketchain.domain.consents import Signable, ledger_in, on_chain
from ticketchain.domain.errors import SignerRefused
from ticketchain.signer.typed import Domain, preimage


class Domains:
    """The chain's id and the addresses of its ledgers of ours."""

    def __init__(self, chain_id: int, ledgers: Sequence[str]) -> None:
        self.chain_id = chain_id
        self._domains: list[Domain] = []
        self.know(ledgers)

    def know(self, ledgers: Sequence[str]) -> None:
        """All ledgers, by number. Raises `SignerRefused` for a malformed address, or when a known one would change."""
        if bad := [address for address in ledgers if not is_checksum_address(address)]:
            raise SignerRefused(f"ledger: {bad[0]!r} is no EIP-55 address")
        if [each.ledger for each in self._domains] != list(ledgers[: len(self._domains)]):
            raise SignerRefused("ledger: one that is known already would change its address")
        self._domains += [Domain(self.chain_id, address) for address in ledgers[len(self._domains) :]]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of all ledgers."""
        return tuple(each.ledger for each in self._domains)

    def ledger(self, number: int) -> str:
        """Address of a ledger. Raises `SignerRefused` for one that is not ours."""
        return self._of(number).ledger

    def preimage(self, value: Signable) -> bytes:
        """What is hashed and signed, in the numbers of the ledger that the value is about. Raises `SignerRefused`."""
        try:
            domain = self._of(ledger_in(value))
        except ValueError as error:
            raise SignerRefused(str(error)) from None
        return preimage(domain, on_chain(value))

    def _of(self, number: int) -> Domain:
        if not 0 <= number < len(self._domains):
            raise SignerRefused(f"id: this installation has no ledger {number}")
        return self._domains[number]
