"""What the signer refuses. Messages name the thing and the fix, never key material."""

from __future__ import annotations

from ticketchain.domain.errors import DomainError


class SignerRefused(DomainError):
    """The signer will not sign this; nothing was signed."""

    code = "signer_refused"


class SlowBackend(RuntimeError):
    """The elliptic-curve code in use is not `coincurve`: signing would be ten times slower."""
