"""Test vectors of TC1 for whoever builds a gate or a phone page.

The file is made by `python -m ticketchain.gate.vectors > docs/tc1-vectors.json`.

Keys are made from fixed bytes and must never be used for anything else. P-256 signatures use RFC 6979, so the
output is always the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import base45
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ticketchain.gate.checks import verify
from ticketchain.gate.device_keys import DevicePrivateKey, device_key_of
from ticketchain.gate.outcomes import BadCode
from ticketchain.gate.tc1 import (
    Lease,
    LeaseContext,
    ParsedCode,
    build_code,
    device_message,
    expiry_at,
    lease_message,
    parse_code,
    sign_lease,
    sign_step,
    step_at,
)

NOW = 1_900_000_000
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED25519_DEVICE = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
P256_DEVICES = (
    ec.derive_private_key(int.from_bytes(bytes(range(66, 98)), "big"), ec.SECP256R1()),
    ec.derive_private_key(int.from_bytes(bytes(range(64, 96)), "big"), ec.SECP256R1()),
)
CONTEXT = LeaseContext(chain_id=31337, contract=bytes(range(0xA0, 0xB4)), ticket_id=7 << 24 | 2 << 16 | 345, epoch=258)


def document() -> dict[str, Any]:
    """All vectors as plain JSON values; bytes are hexadecimal."""
    codes = [_vector(device) for device in (ED25519_DEVICE, *P256_DEVICES)]
    issuer = device_key_of(ISSUER.public_key())[1].hex()
    return {"format": "TC1", "now": NOW, "issuer_public_key": issuer, "codes": codes, "junk": _junk()}


def render() -> str:
    """The vector file's text."""
    return json.dumps(document(), indent=2) + "\n"


def lease_for(device: DevicePrivateKey) -> Lease:
    """The vectors' lease for a device: one day long, key id 3."""
    version_alg, key = device_key_of(device.public_key())
    ticket, epoch = CONTEXT.ticket_id & 0xFFFFFF, CONTEXT.epoch & 0xFF
    return Lease(version_alg, 3, ticket, epoch, block=1_234_567, expiry=expiry_at(NOW + 86_400), device_key=key)


def code_for(device: DevicePrivateKey, at: int = NOW) -> str:
    """The genuine code that this device shows at a Unix second."""
    lease, step = lease_for(device), step_at(at)
    issuer_signature = sign_lease(ISSUER, lease, CONTEXT)
    return build_code(lease, issuer_signature, step, sign_step(device, lease.pack(), issuer_signature, step))


def _vector(device: DevicePrivateKey) -> dict[str, Any]:
    text = code_for(device)
    code = parse_code(text)
    return {
        "lease_fields": {**vars(code.lease), "device_key": code.lease.device_key.hex()},
        "context": _plain(CONTEXT),
        "lease": code.lease_bytes.hex(),
        "lease_message": lease_message(code.lease, CONTEXT).hex(),
        "issuer_signature": code.issuer_signature.hex(),
        "step": code.step,
        "device_message": device_message(code.lease_bytes, code.issuer_signature, code.step).hex(),
        "device_signature": code.device_signature.hex(),
        "code": text,
        "verdicts": _verdicts(code),
    }


def _verdicts(code: ParsedCode) -> list[dict[str, Any]]:
    """What a gate must say of this code at other times and for other contexts."""
    cases: list[tuple[str, int, LeaseContext]] = [
        ("now", NOW, CONTEXT),
        ("one step later", NOW + 15, CONTEXT),
        ("two steps later", NOW + 30, CONTEXT),
        ("two steps earlier", NOW - 30, CONTEXT),
        ("after the lease", NOW + 86_400 + 600, CONTEXT),
        ("other chain", NOW, replace(CONTEXT, chain_id=1)),
        ("other contract", NOW, replace(CONTEXT, contract=bytes(20))),
        ("same number, other event", NOW, replace(CONTEXT, ticket_id=CONTEXT.ticket_id + (1 << 24))),
        ("other number", NOW, replace(CONTEXT, ticket_id=CONTEXT.ticket_id + 1)),
        ("next epoch", NOW, replace(CONTEXT, epoch=CONTEXT.epoch + 1)),
        ("epoch 256 later", NOW, replace(CONTEXT, epoch=CONTEXT.epoch + 256)),
    ]
    return [
        {"case": name, "now": now, "context": _plain(context), "outcome": _outcome(code, now, context)}
        for name, now, context in cases
    ]


def _plain(context: LeaseContext) -> dict[str, Any]:
    return {**vars(context), "contract": context.contract.hex()}


def _outcome(code: ParsedCode, now: int, context: LeaseContext) -> str:
    refusal = verify(code, now, ISSUER.public_key(), context)
    return refusal.outcome.value if refusal else "genuine"


def _junk() -> list[dict[str, str]]:
    """Texts that are no codes, with the reason a reader must give."""
    genuine = code_for(ED25519_DEVICE)
    other_version = base45.b45encode(b"\x20" + base45.b45decode(genuine)[1:]).decode("ascii")
    other_algorithm = base45.b45encode(b"\x12" + base45.b45decode(genuine)[1:]).decode("ascii")
    texts = [
        "",
        "https://example.org/t/1",
        genuine[:-1],
        genuine + " ",
        genuine.lower(),
        ":" * 261,
        other_version,
        other_algorithm,
    ]
    return [{"text": text, "reason": _reason(text)} for text in texts]


def _reason(text: str) -> str:
    try:
        parse_code(text)
    except BadCode as error:
        return error.reason
    raise AssertionError("a junk vector was read as a code")


if __name__ == "__main__":
    print(render(), end="")
