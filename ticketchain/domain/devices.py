"""From what a browser says of itself to what its owner knows it by: "Firefox on Linux", from about there.

A session is bound to that text: it stays the same when the browser is updated, and another kind of browser or machine
cannot take the session along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network

from ticketchain.domain.place import network

_BROWSERS = (  # the more special first: most of them also call themselves Chrome and Safari
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MicroMessenger/", "WeChat"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._+-]{0,39}")


@dataclass(frozen=True)
class Device:
    """Where a request came from: the kind of program and machine, and the whole address, which is never stored."""

    text: str
    address: str = ""

    @property
    def bound(self) -> bytes:
        """What a session is bound to (32 bytes)."""
        return sha256(self.text.encode()).digest()

    @property
    def place(self) -> str:
        """The address, shortened to its network; empty when there is none."""
        return network(self.address)

    @property
    def counted(self) -> str:
        """The address as attempts are counted: of IPv6 the 64 bits that one household has."""
        try:
            known = ip_address(self.address)
        except ValueError:
            return "unknown"
        known = getattr(known, "ipv4_mapped", None) or known
        return str(known) if known.version == 4 else str(ip_network((known, 64), strict=False))


def device_of(user_agent: str, address: str) -> Device:
    """The device that sent this header `User-Agent` (RFC 9110) from this address."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if not browser:
        product = _PRODUCT.match(user_agent)
        return Device(product.group() if product else "unknown program", address)
    return Device(f"{browser} on {system}" if system else browser, address)
