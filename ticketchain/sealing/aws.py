"""A wrapping key in AWS KMS (symmetric, SYMMETRIC_DEFAULT): `Encrypt` and `Decrypt` with an encryption context.

Credentials, region and endpoint come from where every AWS program takes them (environment, profile, role). boto3 is an
extra: it is imported when a key in KMS is first used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ticketchain.sealing.errors import KeyProviderDown, KeyProviderProblem
from ticketchain.sealing.wrapping import binding, not_ours

_FOREIGN = ("InvalidCiphertextException", "IncorrectKeyException")
_LATER = (
    "DependencyTimeoutException",
    "KeyUnavailableException",
    "KMSInternalException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
)


class KmsWrappingKey:
    """Implements `WrappingKey`; `key` is a key id, ARN or alias (`alias/…`)."""

    def __init__(self, key: str) -> None:
        if not key:
            raise KeyProviderProblem("key_provider aws-kms: the key is missing; write aws-kms:KEY-ID, ARN or alias/…")
        self._key = key
        self._client = kms_client()

    def wrap(self, data_key: bytes, version: int) -> bytes:
        """The data key encrypted by KMS."""
        with kms_answers(self._key):
            answer = self._client.encrypt(KeyId=self._key, Plaintext=data_key, EncryptionContext=_context(version))
        wrapped: bytes = answer["CiphertextBlob"]
        return wrapped

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken`."""
        if not wrapped:
            raise not_ours()
        about = {"KeyId": self._key, "EncryptionContext": _context(version)}
        with kms_answers(self._key, foreign=_FOREIGN):
            answer = self._client.decrypt(CiphertextBlob=wrapped, **about)
        data_key: bytes = answer["Plaintext"]
        return data_key


def kms_client() -> Any:
    """A client of AWS KMS that waits seconds, not minutes. Raises `KeyProviderProblem` without boto3 or a region."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise KeyProviderProblem("keys in AWS KMS need boto3; install it: pip install 'ticketchain[aws]'") from None
    patience = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    try:
        return boto3.client("kms", config=patience)
    except BotoCoreError as error:
        raise KeyProviderProblem(f"AWS KMS cannot be used: {error}; set AWS_REGION and credentials") from None


@contextmanager
def kms_answers(key: str, foreign: tuple[str, ...] = ()) -> Iterator[None]:
    """What boto3 raises, in our words: `KeyProviderDown`, `KeyProviderProblem`, and `SealBroken` for the error codes
    `foreign`.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except HTTPClientError as error:  # connections and time-outs
        raise KeyProviderDown(f"AWS KMS does not answer ({type(error).__name__}); try again later") from None
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in foreign:
            raise not_ours() from None
        if code in _LATER or status >= 500:
            raise KeyProviderDown(f"AWS KMS cannot answer now ({code}); try again later") from None
        raise KeyProviderProblem(
            f"AWS KMS refuses to use key {key} ({code}); look at its state, its policy and this service's role"
        ) from None
    except BotoCoreError as error:
        raise KeyProviderProblem(f"AWS KMS cannot be used: {error}; set AWS_REGION and credentials") from None


def _context(version: int) -> dict[str, str]:
    return {"use": binding(version)}
