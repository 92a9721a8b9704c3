"""A wrapping key in the Transit engine of HashiCorp Vault or OpenBao: `POST /v1/MOUNT/encrypt/KEY` and `…/decrypt/KEY`.

The token is in `VAULT_TOKEN`, or in the file that `VAULT_TOKEN_FILE` names, which is read for every request, since an
agent renews it; `VAULT_NAMESPACE` is sent when set. The key must be an AEAD key (aes256-gcm96, the default).
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from ticketchain.sealing.errors import KeyProviderDown, KeyProviderProblem
from ticketchain.sealing.patience import http_client
from ticketchain.sealing.wrapping import binding, not_ours

_LATER = (412, 429, 472, 473)  # a standby that lags behind, too many requests, standbys


class VaultWrappingKey:
    """Implements `WrappingKey`; `place` is URL#KEY or URL#MOUNT/KEY, the mount being `transit` unless named."""

    def __init__(self, place: str) -> None:
        url, _, name = place.partition("#")
        mount, _, key = name.rpartition("/")
        if not key or urlsplit(url).scheme not in ("http", "https"):
            raise KeyProviderProblem(f"key_provider vault:{place}: write vault:https://HOST:8200#KEY (or #MOUNT/KEY)")
        if urlsplit(url).scheme == "http" and not is_loopback(url):
            raise KeyProviderProblem(f"key_provider vault:{place}: the token must not travel in the clear; use https")
        self._key, self._mount = quote(key, safe=""), quote(mount or "transit")
        self._http = http_client(url.rstrip("/") + "/v1/")

    def wrap(self, data_key: bytes, version: int) -> bytes:
        """The data key encrypted by Vault, as its text (`vault:v1:…`)."""
        answer = self._ask("encrypt", {"plaintext": _base64(data_key)}, version)
        return str(answer.get("ciphertext")).encode()

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken`."""
        if not wrapped.startswith(b"vault:") or not wrapped.isascii():
            raise not_ours()
        answer = self._ask("decrypt", {"ciphertext": wrapped.decode()}, version)
        return b64decode(str(answer.get("plaintext")))

    def _ask(self, what: str, fields: dict[str, str], version: int) -> dict[str, Any]:
        body = fields | {"associated_data": _base64(binding(version).encode())}
        try:
            answer = self._http.post(f"{self._mount}/{what}/{self._key}", json=body, headers=_headers())
        except httpx.HTTPError as error:
            raise KeyProviderDown(f"Vault does not answer ({type(error).__name__}); try again later") from None
        if answer.status_code != 200:
            raise _refusal(answer, what)
        try:
            data: dict[str, Any] = answer.json()["data"]
            if not isinstance(data[{"encrypt": "ciphertext", "decrypt": "plaintext"}[what]], str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise KeyProviderProblem("what answers at Vault's address is not Vault; look at key_provider") from None
        return data


def is_loopback(url: str) -> bool:
    """Whether what is sent to this URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(answer: httpx.Response, what: str) -> Exception:
    """Vault's documented statuses: 400 for what cannot be decrypted, 403 denied, 404 no such path, 503 sealed."""
    try:
        said = "; ".join(map(str, answer.json()["errors"]))[:200]
    except (ValueError, KeyError, TypeError):
        said = ""
    words = f"status {answer.status_code}" + (f", {said}" if said else "")
    if answer.status_code >= 500 or answer.status_code in _LATER:
        return KeyProviderDown(f"Vault cannot answer now ({words}); unseal it, or try again later")
    if answer.status_code == 400 and what == "decrypt" and "not found" not in said:
        return not_ours()
    if answer.status_code == 403:
        return KeyProviderProblem(f"Vault denies the {what}ion ({words}); look at the token and its policy")
    return KeyProviderProblem(f"Vault refuses the {what}ion ({words}); look at key_provider, the engine and its key")


def _headers() -> dict[str, str]:
    token = os.environ.get("VAULT_TOKEN", "")
    if file := os.environ.get("VAULT_TOKEN_FILE"):
        try:
            token = Path(file).read_text().strip()
        except OSError as error:
            raise KeyProviderProblem(f"Vault's token file {file}: {error.strerror}; set VAULT_TOKEN_FILE") from None
    if not token:
        raise KeyProviderProblem("Vault's token is missing; set VAULT_TOKEN, or VAULT_TOKEN_FILE to its file")
    namespace = os.environ.get("VAULT_NAMESPACE", "")
    return {"X-Vault-Token": token} | ({"X-Vault-Namespace": namespace} if namespace else {})


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
