"""An operator key behind Web3Signer (Consensys): `GET /api/v1/eth1/publicKeys`, `POST /api/v1/eth1/sign/{identifier}`.

Web3Signer hashes the data itself (Keccak-256), so it gets preimages; it answers r, s and v in hexadecimal. It trusts
whoever reaches it: keep it on this machine, on a private network or behind TLS.
"""

from __future__ import annotations

from typing import Any

import httpx
from eth_hash.auto import keccak
from eth_utils.address import is_checksum_address

from ticketchain.sealing.errors import KeyProviderDown, KeyProviderProblem
from ticketchain.sealing.patience import http_client
from ticketchain.signer.recovery import public_address, recoverable


class Web3SignerKey:
    """Implements `OperatorKey`; `place` is URL#ADDRESS (EIP-55). Web3Signer is asked at once whether it has the key.

    Raises `KeyProviderDown` while it does not answer, `KeyProviderProblem` when it has no such key or answers nonsense.
    """

    def __init__(self, place: str) -> None:
        url, _, address = place.partition("#")
        if not url.startswith(("http://", "https://")) or not is_checksum_address(address):
            raise KeyProviderProblem(f"web3signer:{place}: write web3signer:http://HOST:9000#ADDRESS, as EIP-55 has it")
        self._address, self._http = address, http_client(url)
        self._identifier = self._find()

    @property
    def address(self) -> str:
        """The key's EIP-55 address."""
        return self._address

    def sign(self, preimage: bytes) -> bytes:
        """The signature over keccak-256 of the preimage (65 bytes)."""
        body = {"data": "0x" + preimage.hex()}
        answer = self._ask("POST", f"/api/v1/eth1/sign/{self._identifier}", json=body).text.strip()
        signature = _hexadecimal(answer, 65)
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
        return recoverable(r, s, keccak(preimage), self._address)

    def _find(self) -> str:
        """The public key whose address is ours, as Web3Signer writes it."""
        try:
            keys = self._ask("GET", "/api/v1/eth1/publicKeys").json()
            found = [key for key in keys if public_address(_hexadecimal(key, 64)) == self._address]
        except (ValueError, TypeError):
            raise _nonsense() from None
        if not found:
            raise KeyProviderProblem(f"Web3Signer has no key of {self._address}; load it there, or set another address")
        return str(found[0])

    def _ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **body)
        except httpx.HTTPError as error:
            raise KeyProviderDown(f"Web3Signer does not answer ({type(error).__name__}); try again later") from None
        if answer.status_code >= 500:
            raise KeyProviderDown(f"Web3Signer cannot answer now (status {answer.status_code}); try again later")
        if answer.status_code != 200:
            raise KeyProviderProblem(
                f"Web3Signer refuses (status {answer.status_code}); has it still the key of {self._address}?"
            )
        return answer


def _hexadecimal(text: object, size: int) -> bytes:
    if not isinstance(text, str) or len(text) != 2 + 2 * size or not text.startswith("0x"):
        raise _nonsense()
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise _nonsense() from None


def _nonsense() -> KeyProviderProblem:
    return KeyProviderProblem("what answers at Web3Signer's address is not Web3Signer; look at the URL")
