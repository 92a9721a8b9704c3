"""Consents through the real signer process: each a cold key unwrapped, a passkey's assertion checked, a row of the log
made durable before the signature leaves.

`per_s_core` is what one core does: consents for each second of the signer's own processor time, all its threads
counted; `per_s` by the clock, with the clients on another core. Ceiling, in a process of its own by turns, best of
three: a bare P-256 verification and a bare coincurve signature, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from eth_keys.main import KeyAPI

from scripts.bench.form import Result
from ticketchain.demo.passkey import SoftPasskey, from_text, to_text
from ticketchain.domain.consents import Gift
from ticketchain.domain.proofs import LogEntry, PasskeyProof, Registration
from ticketchain.signer.config import Config
from ticketchain.signer.limits import Limits
from ticketchain.signer.log import problems
from ticketchain.signer.typed import Domain, digest
from ticketchain.signer.wire import FANS
from ticketchain.wallets.child import start
from ticketchain.wallets.remote import Connection, RemoteSigner

ROUNDS, CLIENTS, AHEAD = 3, 8, 32
"""Rounds; connections, and requests under way on each."""

SITE, CHAIN = "http://localhost:8000", 31_337
LEDGER, TAKER = "0x5FbDB2315678afecb367f032d93F642f64180aa3", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BARE_S = 1.0


@dataclass(frozen=True)
class Holder:
    """A fan's wallet and passkey."""

    owner: str
    address: str
    passkey: SoftPasskey


@dataclass(frozen=True)
class Round:
    """What a round took, by the clock and of the signer's processor time, and what was wrong with it."""

    seconds: float
    cpu: float
    wrong: tuple[str, ...]


Work = list[tuple[Holder, Gift, dict[str, Any]]]


def run(arguments: argparse.Namespace) -> Result:
    """Runs the benchmark."""
    began, number = time.monotonic(), int(arguments.wallets)
    with tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder:
        config = _config(Path(folder))
        holders = _enrol(config, number)
        rounds, bare = [], []
        for n in range(ROUNDS):
            rounds.append(_round(config, _work(config, holders, n)))
            bare.append(_alone(_bare))
        wrong = tuple(text for each in rounds for text in each.wrong) + _log_problems(config, number * ROUNDS)
    best, ceiling = max(number / each.cpu for each in rounds), max(bare)
    figures = {
        "per_s_core": best,
        "ratio_to_bare": best / ceiling,
        "per_s": max(number / each.seconds for each in rounds),
        "consents": number * ROUNDS,
    }
    took = time.monotonic() - began
    return Result("signing", "one signer process, SQLite", took, figures, {"bare_per_s_core": ceiling}, wrong)


def _config(folder: Path) -> Config:
    most = 1_000_000
    limits = Limits(wallet_hour=most, wallet_day=most, consents_hour=most, devices_hour=most)
    place = str(folder / "signer"), str(folder / "master.key")
    return Config(*place, CHAIN, SITE, (LEDGER,), limits=limits, is_child=True)


def _enrol(config: Config, number: int) -> list[Holder]:
    """Wallets with a passkey each."""
    child, remote = start(config), RemoteSigner(Path(config.folder))
    try:
        return [_holder(remote, f"fan_{n}") for n in range(number)]
    finally:
        remote.close()
        child.stop()


def _holder(remote: RemoteSigner, owner: str) -> Holder:
    passkey = SoftPasskey.at(SITE, "localhost")
    said = passkey.register(to_text(remote.begin_enrolment(owner)))
    values = (from_text(said[name]) for name in ("id", "client_data_json", "attestation_object"))
    remote.enrol(owner, Registration(*values), "phone")
    return Holder(owner, remote.wallet(owner), passkey)


def _work(config: Config, holders: Sequence[Holder], n: int) -> Work:
    """A consent of each, proved; other ones in each round."""
    deadline, domain = int(datetime.now(UTC).timestamp()) + 3_600, Domain(CHAIN, LEDGER)
    work: Work = []
    for number, holder in enumerate(holders):
        gift = Gift((1 << 24) + number, n, TAKER, True, deadline)
        said = holder.passkey.sign(to_text(digest(domain, gift)))
        names = ("id", "client_data_json", "authenticator_data", "signature")
        proof = PasskeyProof(*(from_text(said[name]) for name in names))
        work.append((holder, gift, {"address": holder.address, "consent": gift, "proof": proof}))
    return work


def _round(config: Config, work: Work) -> Round:
    """All consents at a signer that was just started, so that it has opened no key yet."""
    child = start(config)
    clients = [Connection(Path(config.folder) / FANS, 60) for _ in range(CLIENTS)]
    try:
        cpu, began = _cpu_s(child.process.pid), time.monotonic()
        signatures = _ask(clients, [asked for _, _, asked in work])
        seconds, spent = time.monotonic() - began, _cpu_s(child.process.pid) - cpu
    finally:
        for client in clients:
            client.close()
        child.stop()
    foreign = sum(not _is_by(*each[:2], signature) for each, signature in zip(work, signatures, strict=True))
    return Round(seconds, spent, (f"{foreign} signatures are not the holder's",) if foreign else ())


def _ask(clients: Sequence[Connection], asked: Sequence[dict[str, Any]]) -> list[bytes]:
    """Asks on all connections, many requests ahead of the answers."""
    signatures: list[bytes] = []
    for first in range(0, len(asked), size := len(clients) * AHEAD):
        part = asked[first : first + size]
        sent = [(clients[n % len(clients)], each) for n, each in enumerate(part)]
        numbers = [(client, client.send("consent", each)) for client, each in sent]
        signatures += [client.read(number, "consent") for client, number in numbers]
    return signatures


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far, its own and the kernel's for it (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_by(holder: Holder, gift: Gift, signature: bytes) -> bool:
    found = KeyAPI.Signature(signature[:64] + bytes([signature[64] - 27]))
    key = KeyAPI().ecdsa_recover(digest(Domain(CHAIN, LEDGER), gift), found)
    return bool(key.to_checksum_address() == holder.address)


def _log_problems(config: Config, consents: int) -> tuple[str, ...]:
    """What is wrong with the log: its chain of hashes, or a consent without a row."""
    child, remote = start(config), RemoteSigner(Path(config.folder))
    rows: list[LogEntry] = []
    while page := remote.log_entries(len(rows), 1_000):
        rows += page
    remote.close()
    child.stop()
    noted = sum(row.kind == "consent" for row in rows)
    return (*problems(rows), *([] if noted == consents else [f"{noted} of {consents} consents are in the log"]))


def _alone(work: Any) -> float:
    """In a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return float(pool.submit(work).result())


def _bare() -> float:
    """P-256 verifications with a secp256k1 signature after each, for each second of processor time."""
    passkey, wallet, said = generate_private_key(SECP256R1()), PrivateKey(), os.urandom(69)
    signature, public, digest_ = passkey.sign(said, ECDSA(SHA256())), passkey.public_key(), os.urandom(32)
    began, count = time.process_time(), 0
    while time.process_time() - began < BARE_S:
        public.verify(signature, said, ECDSA(SHA256()))
        wallet.sign_recoverable(digest_, hasher=None)
        count += 1
    return count / (time.process_time() - began)
