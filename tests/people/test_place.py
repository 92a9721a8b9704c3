"""The access log has the network of a caller, never the whole address."""

from __future__ import annotations

import pytest

from ticketchain.domain.place import coming_from, current


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_a_place_is_a_network(address: str, place: str) -> None:
    with coming_from(address):
        assert current() == place
    assert current() == ""
