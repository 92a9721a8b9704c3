"""An operator key in AWS KMS: an asymmetric key of spec ECC_SECG_P256K1 for SIGN_VERIFY, which never leaves KMS.

KMS signs the Keccak-256 digest as it is (`MessageType=DIGEST`; the algorithm's name, ECDSA_SHA_256, only says how
long it is) and answers DER (RFC 3279) with either s: the low one and the recovery id are found here.
"""

from __future__ import annotations

from functools import partial

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from eth_hash.auto import keccak

from ticketchain.sealing.aws import ask_kms, kms_client
from ticketchain.sealing.errors import KeyProviderProblem
from ticketchain.signer.recovery import public_address, recoverable


class KmsOperatorKey:
    """Implements `OperatorKey`; `key` is a key id, ARN or alias. KMS is asked for its address at once.

    Raises `KeyProviderDown` while KMS does not answer, `KeyProviderProblem` for a key of another kind or no permission.
    """

    def __init__(self, key: str) -> None:
        self._key, self._client = key, kms_client()
        self._address = _address(key, ask_kms(key, partial(self._client.get_public_key, KeyId=key), "PublicKey"))

    @property
    def address(self) -> str:
        """The key's EIP-55 address."""
        return self._address

    def sign(self, preimage: bytes) -> bytes:
        """The signature over keccak-256 of the preimage (65 bytes)."""
        digest = keccak(preimage)
        how = {"KeyId": self._key, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        answer = ask_kms(self._key, partial(self._client.sign, Message=digest, **how), "Signature")
        try:
            r, s = decode_dss_signature(answer)
        except ValueError:
            r = s = 0  # no signature at all
        return recoverable(r, s, digest, self._address)


def _address(key: str, der: bytes) -> str:
    try:
        public = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256K1):
        raise KeyProviderProblem(f"KMS key {key} is of another kind; make one of key spec ECC_SECG_P256K1, SIGN_VERIFY")
    return public_address(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:])
