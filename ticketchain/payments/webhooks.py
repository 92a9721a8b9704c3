"""Signed webhooks: HMAC-SHA256 over `t.body` in a header `t=<unix>,v1=<hex>`, the form that payment providers
use.

Several secrets may be valid at once, so that one can be rotated without a gap: the sender adds one `v1` for
each.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ticketchain.domain.errors import Forbidden, Invalid
from ticketchain.domain.ports import Webhook

HEADER = "Webhook-Signature"
_FORM = re.compile(r"t=(?P<at>[0-9]{1,12})(?P<signatures>(?:,v1=[0-9a-f]{64}){1,8})", re.ASCII)


def sign(secrets: Sequence[str], at: datetime, body: bytes) -> str:
    """The header's value for a body sent now."""
    stamp = str(int(at.timestamp()))
    return ",".join([f"t={stamp}", *(f"v1={_mac(secret, stamp, body)}" for secret in secrets)])


def verify(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime, tolerance: timedelta
) -> Webhook:
    """What a message says, once its signature holds.

    Raises `Forbidden` without a secret, or for a signature that is missing, malformed, wrong or older or
    newer than the tolerance; `Invalid` for a body, properly signed, that is no message.
    """
    if not any(secrets):
        raise Forbidden("webhooks: switched off, because no secret is set")
    stamp, given = _parse(headers)
    # every pair is compared, in constant time: the time taken does not tell which secret or byte was wrong
    wanted = [_mac(secret, stamp, body) for secret in secrets if secret]
    matches = [hmac.compare_digest(one, other) for one in wanted for other in given]
    if not any(matches):
        raise Forbidden(f"{HEADER}: the signature is not one over this body with a known secret")
    if abs(now.timestamp() - int(stamp)) > tolerance.total_seconds():
        raise Forbidden(f"{HEADER}: the message was signed more than {tolerance.total_seconds():.0f} s away from now")
    return _read(body)


def _parse(headers: Mapping[str, str]) -> tuple[str, list[str]]:
    value = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
    match = _FORM.fullmatch(value)
    if match is None:
        raise Forbidden(f"{HEADER}: missing or malformed; it reads t=<unix seconds>,v1=<64 hexadecimal digits>")
    return match["at"], match["signatures"].removeprefix(",v1=").split(",v1=")


def _mac(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _read(body: bytes) -> Webhook:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Invalid("body", "is no JSON object")
    for field in ("id", "charge"):
        if not isinstance(message.get(field), str) or not 1 <= len(message[field]) <= 255:
            raise Invalid(field, "must be a text of 1 to 255 characters")
    return Webhook(event_id=message["id"], charge=message["charge"])
