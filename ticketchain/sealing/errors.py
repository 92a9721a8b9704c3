"""What can be wrong with seals and with the keys that wrap them. Messages never carry key material."""

from __future__ import annotations

from collections.abc import Callable

from ticketchain.domain.errors import DomainError, Unavailable


class SealBroken(DomainError):
    """A sealed key does not open: changed, another owner, chain, purpose, address or version, another wrapping key."""

    code = "seal_broken"
    status = 500


class KeyProviderProblem(DomainError):
    """The key that wraps all data keys cannot be used until somebody has mended something; the message says what."""

    code = "key_provider"
    status = 503


class KeyFileProblem(KeyProviderProblem):
    """A file of a wrapping key is open to others, has the wrong content or cannot be read or written."""

    code = "key_file"


class KeyProviderDown(Unavailable):
    """What keeps the wrapping key does not answer, or says that it cannot now; trying again later is right."""


class DataKeyNeeded(KeyProviderDown):
    """Inside `Seal.asking_nobody` a data key is needed that is not open yet: call `fetch` later, then try again."""

    def __init__(self, fetch: Callable[[], object]) -> None:
        super().__init__("a key of the signer is not open yet; try again later")
        self.fetch = fetch
