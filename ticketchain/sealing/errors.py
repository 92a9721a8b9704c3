"""What can be wrong with seals and with the keys that wrap them. Messages never carry key material."""

from __future__ import annotations

from ticketchain.domain.errors import DomainError


class SealBroken(DomainError):
    """A sealed key does not open: changed, another owner, chain, purpose, address or version, another wrapping key."""

    code = "seal_broken"
    status = 500


class KeyFileProblem(DomainError):
    """The file of the key that wraps all data keys cannot be used."""

    code = "key_file"
    status = 503
