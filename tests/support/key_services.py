"""What keeps keys elsewhere, over real HTTP: AWS KMS by moto's server, and peers that answer as Vault's Transit engine
and Web3Signer are documented to. Each can be made to fail in the ways such services do.
"""

from __future__ import annotations

import json
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import boto3
import pytest
from coincurve import PrivateKey
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eth_hash.auto import keccak
from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import AccessDeniedException
from moto.kms.responses import KmsResponse
from moto.kms.utils import ECDSAPrivateKey
from moto.server import ThreadedMotoServer

from ticketchain.sealing import patience
from ticketchain.signer.recovery import public_address

Trouble = Literal["closed", "silent", "broken", "denied", "nonsense"]
OUTAGES: tuple[Trouble, ...] = ("closed", "silent", "broken")
TOKEN = "hvs.canary-token-of-the-tests"
REGION = "eu-central-1"


def wait_less(patch: pytest.MonkeyPatch, trouble: Trouble) -> None:
    """For a service that says nothing, a test has less patience; for one that only is slow, as much as ever."""
    if trouble == "silent":
        patch.setattr(patience, "ANSWER_S", 0.3)


class Peer:
    """An HTTP server on a port of its own; `trouble` makes it fail from the next request on."""

    broken: tuple[int, Any] = (503, {"errors": ["Vault is sealed"]})
    denied: tuple[int, Any] = (403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self.asked = list[tuple[str, dict[str, str], Any]]()
        self._end = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        port = 1 if self.trouble == "closed" else self._server.server_port  # nobody listens on port 1
        return f"http://127.0.0.1:{port}"

    def close(self) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()

    def respond(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status, and what is sent as JSON, or as it is when it is a string. This one knows nothing."""
        return self.broken

    def _answer(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        self.asked.append((path, headers, body))
        if self.trouble == "silent":
            self._end.wait(30)
        if self.trouble == "broken":
            return self.broken
        if self.trouble == "denied":
            return self.denied
        return (200, "<html>It works!</html>") if self.trouble == "nonsense" else self.respond(path, headers, body)


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._send(*peer._answer(self.path, dict(self.headers), json.loads(sent or b"null")))

        def do_GET(self) -> None:
            self._send(*peer._answer(self.path, dict(self.headers), None))

        def _send(self, status: int, content: Any) -> None:
            out = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class VaultPeer(Peer):
    """Transit: named keys in versions, `associated_data` for AEAD keys, errors in Vault's words."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = {"tickets": [secrets.token_bytes(32)], "other": [secrets.token_bytes(32)]}

    def rotate(self, name: str) -> None:
        """As `vault write -f transit/keys/NAME/rotate`."""
        self.keys[name].append(secrets.token_bytes(32))

    def respond(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        if headers.get("X-Vault-Token") != TOKEN:
            return self.denied
        root, what, name = path.rsplit("/", 2)
        if root != "/v1/transit":
            return 404, {"errors": [f"no handler for route {path!r}. route entry not found."]}
        if name not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        bound = b64decode(body.get("associated_data", ""))
        return self._encrypt(name, body, bound) if what == "encrypt" else self._decrypt(name, body, bound)

    def _encrypt(self, name: str, body: Any, bound: bytes) -> tuple[int, Any]:
        nonce, version = secrets.token_bytes(12), len(self.keys[name])
        hidden = AESGCM(self.keys[name][-1]).encrypt(nonce, b64decode(body["plaintext"], validate=True), bound)
        text = f"vault:v{version}:{b64encode(nonce + hidden).decode()}"
        return 200, {"data": {"ciphertext": text, "key_version": version}}

    def _decrypt(self, name: str, body: Any, bound: bytes) -> tuple[int, Any]:
        try:
            vault, version, text = body["ciphertext"].split(":")
            assert vault == "vault"
            raw, key = b64decode(text, validate=True), self.keys[name][int(version[1:]) - 1]
            plain = AESGCM(key).decrypt(raw[:12], raw[12:], bound)
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        except (ValueError, AssertionError, IndexError):
            return 400, {"errors": ["invalid ciphertext: could not decode"]}
        return 200, {"data": {"plaintext": b64encode(plain).decode()}}


class Web3SignerPeer(Peer):
    """The eth1 interface over keys that were loaded into it; it hashes what it signs."""

    broken = (500, "")
    denied = (404, "")

    def __init__(self) -> None:
        super().__init__()
        self.keys = {"0x" + _point(key).hex(): key for key in (PrivateKey(), PrivateKey())}
        self.change: Callable[[bytes], bytes] = lambda signature: signature

    @property
    def addresses(self) -> list[str]:
        return [public_address(bytes.fromhex(public[2:])) for public in self.keys]

    def respond(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/api/v1/eth1/publicKeys":
            return 200, list(self.keys)
        *rest, identifier = path.split("/")
        if rest != ["", "api", "v1", "eth1", "sign"] or identifier not in self.keys:
            return 404, ""
        signature = self.keys[identifier].sign_recoverable(bytes.fromhex(body["data"][2:]), hasher=keccak)
        return 200, "0x" + self.change(signature[:64] + bytes([27 + signature[64]])).hex()


def _point(key: PrivateKey) -> bytes:
    return key.public_key.format(compressed=False)[1:]


class Aws:
    """AWS KMS as moto's server has it. `fail` puts a failing server in its place for all that is opened afterwards."""

    def __init__(self, patch: pytest.MonkeyPatch, url: str) -> None:
        self._patch, self._failing = patch, Peer()
        self._failing.broken = 500, {"__type": "KMSInternalException", "message": "try again"}
        self._failing.denied = 400, {"__type": "AccessDeniedException", "message": "not authorized"}
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": TOKEN,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_KMS": url,
        }.items():
            patch.setenv(name, value)
        complete_moto(patch)
        self.client = boto3.client("kms")

    def key(self, **spec: str) -> str:
        """Id of a new key."""
        made: str = self.client.create_key(**spec)["KeyMetadata"]["KeyId"]
        return made

    def fail(self, trouble: Trouble) -> None:
        self._failing.trouble = trouble
        wait_less(self._patch, trouble)
        self._patch.setenv("AWS_ENDPOINT_URL_KMS", self._failing.url)

    def close(self) -> None:
        self._failing.close()


@contextmanager
def moto_server() -> Iterator[str]:
    """URL of moto's server, in this process."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def complete_moto(patch: pytest.MonkeyPatch) -> None:
    """As KMS has it: `Decrypt` names the reason when another key than the named one encrypted it."""
    decrypt = KmsResponse.decrypt

    def respond(self: Any) -> str:
        try:
            text: str = decrypt(self)
        except AccessDeniedException:
            raise JsonRESTError("IncorrectKeyException", "") from None
        return text

    patch.setattr(KmsResponse, "decrypt", respond)


def sign_digests_as_they_are(patch: pytest.MonkeyPatch) -> None:
    """What moto lacks too (its `verify` says so): `MessageType=DIGEST` signs the digest, and does not hash it again."""
    asked, answer = threading.local(), KmsResponse.sign
    hashing = ECDSAPrivateKey.sign

    def respond(self: Any) -> str:
        asked.digest = self._get_param("MessageType") == "DIGEST"
        text: str = answer(self)
        return text

    def sign(self: Any, message: bytes, algorithm: str) -> bytes:
        if not asked.digest:
            plain: bytes = hashing(self, message, algorithm)
            return plain
        signed: bytes = self.private_key.sign(message, ECDSA(Prehashed(hashes.SHA256())))
        return signed

    patch.setattr(KmsResponse, "sign", respond)
    patch.setattr(ECDSAPrivateKey, "sign", sign)
