"""What the signer refuses. Messages name the thing and the fix, never key material."""

from __future__ import annotations

from ticketchain.domain.errors import DomainError


class SignerRefused(DomainError):
    """The signer will not sign this; nothing was signed."""

    code = "signer_refused"


class SealBroken(SignerRefused):
    """A sealed key does not open: changed, another chain, purpose, address or version, another key file."""

    code = "seal_broken"
    status = 500


class KeyFileProblem(DomainError):
    """The file of the key that wraps all data keys cannot be used."""

    code = "key_file"
    status = 503


class SlowBackend(RuntimeError):
    """The elliptic-curve code in use is not `coincurve`: signing would be ten times slower."""
