"""A wrapping key in AWS KMS (symmetric, SYMMETRIC_DEFAULT): `Encrypt` and `Decrypt` with an encryption context.

Credentials, region and endpoint come from where every AWS program takes them (environment, profile, role). boto3 is an
extra: it is imported when a key in KMS is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ticketchain.sealing import patience
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
        about = {"KeyId": self._key, "EncryptionContext": _context(version)}
        return ask_kms(self._key, partial(self._client.encrypt, Plaintext=data_key, **about), "CiphertextBlob")

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken`."""
        if not wrapped:
            raise not_ours()
        about = {"KeyId": self._key, "EncryptionContext": _context(version)}
        call = partial(self._client.decrypt, CiphertextBlob=wrapped, **about)
        return ask_kms(self._key, call, "Plaintext", foreign=_FOREIGN)


def kms_client() -> Any:
    """A client of AWS KMS that waits seconds, not minutes. Raises `KeyProviderProblem` without boto3 or a region."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise KeyProviderProblem("keys in AWS KMS need boto3; install it: pip install 'ticketchain[aws]'") from None
    config = Config(
        connect_timeout=patience.CONNECT_S,
        read_timeout=patience.ANSWER_S,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    try:
        return boto3.client("kms", config=config)
    except BotoCoreError as error:
        raise KeyProviderProblem(f"AWS KMS cannot be used: {error}; set AWS_REGION and credentials") from None


def ask_kms(key: str, call: Callable[[], Any], field: str, foreign: tuple[str, ...] = ()) -> bytes:
    """The bytes in one field of what KMS answers.

    Raises `KeyProviderDown`, `KeyProviderProblem`, and `SealBroken` for the error codes `foreign`.
    """
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    try:
        answer: bytes = call()[field]
        return answer
    except (ConnectionError, HTTPClientError) as error:
        raise KeyProviderDown(f"AWS KMS does not answer ({type(error).__name__}); try again later") from None
    except ClientError as error:
        raise _refusal(key, error.response, foreign) from None
    except BotoCoreError as error:
        raise KeyProviderProblem(f"AWS KMS cannot be used: {error}; set AWS_REGION and credentials") from None
    except KeyError:
        raise KeyProviderProblem("what answers at the address of AWS KMS is not KMS; look at its endpoint") from None


def _refusal(key: str, response: Any, foreign: tuple[str, ...]) -> Exception:
    code = response.get("Error", {}).get("Code", "")
    if code in foreign:
        return not_ours()
    if code in _LATER or response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return KeyProviderDown(f"AWS KMS cannot answer now ({code}); try again later")
    return KeyProviderProblem(
        f"AWS KMS refuses to use key {key} ({code}); look at its state, its policy and this service's role"
    )


def _context(version: int) -> dict[str, str]:
    return {"use": binding(version)}
