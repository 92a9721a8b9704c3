"""The door: phones get leases and show codes, two gates scan them; every ticket goes in once, nothing else does."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_p256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ticketchain.demo.market import ask_to_give
from ticketchain.demo.organizer import GATES
from ticketchain.demo.stage import Fan, Stage
from ticketchain.demo.web import Refusal, refusal_of, until
from ticketchain.gate import Lease, build_code, sign_step, step_at

JUNK = ("HELLO WORLD", "https://example.org/not-a-ticket", "A" * 261)
OLD_STEPS = 4
REPEATED_SCANS = 10


@dataclass(frozen=True)
class Phone:
    """A fan's phone: its private key never leaves it. `p256` phones are browsers without Ed25519."""

    private: Ed25519PrivateKey | EllipticCurvePrivateKey

    @classmethod
    def new(cls, p256: bool = False) -> Phone:
        """A phone with a fresh key."""
        return cls(generate_p256(SECP256R1()) if p256 else Ed25519PrivateKey.generate())

    @property
    def public(self) -> dict[str, str]:
        """The public key as the API takes it."""
        key = self.private.public_key()
        if isinstance(self.private, Ed25519PrivateKey):
            raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"algorithm": "ed25519", "device_key": raw.hex()}
        point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return {"algorithm": "p256", "device_key": point.hex()}

    def code(self, lease: dict[str, Any], steps_ago: int = 0) -> str:
        """What the phone shows now, or showed some steps of 15 seconds ago."""
        packed, signature = bytes.fromhex(lease["lease"]), bytes.fromhex(lease["signature"])
        step = step_at(int(time.time())) - steps_ago & 0xFFFF
        return build_code(Lease.unpack(packed), signature, step, sign_step(self.private, packed, signature, step))


def before_closing(stage: Stage) -> None:
    """While moves are open there are no entry codes."""
    ticket, fan = next(iter(stage.holders.items()))
    stage.check("an entry code while moves are open", "conflict", refusal_of(lambda: _lease(stage, ticket, fan)))


def after_closing(stage: Stage) -> None:
    """Once moves are closed there are codes for holders, none for former ones, and no gifts."""
    ticket, fan = next(iter(stage.holders.items()))
    until("entry codes after the closing of moves", _not_yet(lambda: _lease(stage, ticket, fan)))
    late = refusal_of(lambda: ask_to_give(stage, ticket, fan, next(stage.others(fan))))
    stage.check("a gift after the closing of moves", "ledger_refused Ledger_MovesClosed", late)
    former = Counter(refusal_of(partial(_lease, stage, *old)) for old in stage.former)
    stage.check("entry codes for former holders", {"not_found": len(stage.former)}, dict(former))


def admit(stage: Stage) -> None:
    """Admits tickets at one gate; each code is shown again at the other gate and refused."""
    tickets = stage.pick(stage.holders, stage.plan.admissions)
    jobs = list(enumerate(tickets))
    seen = stage.each("admissions", jobs, lambda job: _enter(stage, *job))
    stage.check("first scans", {"admitted": len(tickets)}, dict(Counter(first for first, _ in seen)))
    stage.check("second scans", {"already_used": len(tickets)}, dict(Counter(second for _, second in seen)))
    tricks = _tricks(stage, next(t for t in stage.holders if t not in tickets))
    counts = stage.web.get(f"/v1/gate/events/{stage.event['id']}/counts", stage.gate_keys[0])["outcomes"]
    expected = {"admitted": len(tickets), "already_used": len(tickets)} | tricks
    stage.check("the gates' own count", expected, counts)
    until("the redemption of all admitted tickets", lambda: _redeemed(stage) == len(tickets) or None)
    refused = 2 * len(tickets) + sum(tricks.values()) - len(tickets)
    stage.tell("Gates", f"admit {len(tickets)} and refuse {refused} codes: second scans, junk, screenshots, forgeries")


def _lease(stage: Stage, ticket: str, fan: Fan, phone: Phone | None = None) -> dict[str, Any]:
    phone = phone or Phone.new()
    return dict(stage.web.post(f"/v1/tickets/{ticket}/entry-lease", fan.key, phone.public))


def _not_yet(work: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any] | None]:
    """`work`, with None instead of a conflict."""

    def ask() -> dict[str, Any] | None:
        try:
            return work()
        except Refusal as refused:
            if refused.code != "conflict":
                raise
            return None

    return ask


def _scan(stage: Stage, gate: int, code: str, nonce: str = "") -> str:
    body = {"event_id": stage.event["id"], "code": code, "gate": GATES[gate], "nonce": nonce or uuid.uuid4().hex}
    return str(stage.web.post("/v1/gate/scans", stage.gate_keys[gate], body)["outcome"])


def _enter(stage: Stage, number: int, ticket: str) -> tuple[str, str]:
    """One fan at the door: outcome at the first gate, and at the other. Some first scans are sent twice, as one."""
    phone, gate, nonce = Phone.new(p256=number % 4 == 0), number % 2, uuid.uuid4().hex
    code = phone.code(_lease(stage, ticket, stage.holders[ticket], phone))
    first = _scan(stage, gate, code, nonce)
    if number < REPEATED_SCANS and _scan(stage, gate, code, nonce) != first:
        first = "another answer to the same scan"
    return first, _scan(stage, 1 - gate, code)


def _tricks(stage: Stage, ticket: str) -> dict[str, int]:
    """Codes that must not open the door, on a ticket that nobody used; the expected outcomes, counted."""
    fan, mine, other = stage.holders[ticket], Phone.new(), Phone.new()
    old = _lease(stage, ticket, fan, other)
    lease = _lease(stage, ticket, fan, mine)
    tricks = [(code, "not_ours") for code in JUNK]
    tricks.append((mine.code(lease, steps_ago=OLD_STEPS), "too_old"))
    tricks.append((other.code(old), "replaced"))
    tricks.append((other.code(lease), "bad_device_signature"))
    for code, expected in tricks:
        stage.check(f"a code that is {expected}", expected, _scan(stage, 0, code))
    return dict(Counter(expected for _, expected in tricks))


def _redeemed(stage: Stage) -> int:
    return int(stage.books()["tickets"]["redeemed"])
