"""Breached passwords are found in a file of any size and shape, and nothing else is."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from tests.accounts.people import PASSWORD
from ticketchain.domain.errors import Unavailable
from ticketchain.passwords.argon2 import Argon2Passwords, Cost
from ticketchain.passwords.breached import BreachedFile
from ticketchain.passwords.choice import open_passwords


def _sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 500])
@pytest.mark.parametrize("line", ["{upper}:{n}", "{lower}", "{prefix}:{n}"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_exactly_the_listed_passwords_are_found(tmp_path: Path, count: int, line: str, end: str) -> None:
    listed = [f"password number {n}" for n in range(count)]
    lines = sorted(
        line.format(upper=h.upper(), lower=h, prefix=h.upper()[:16], n=random.randrange(1, 10**7))
        for h in map(_sha1, listed)
    )
    (tmp_path / "pwned.txt").write_bytes(end.join(lines).encode())
    file = BreachedFile(tmp_path / "pwned.txt")
    assert [each for each in listed if not file.has(each)] == []
    assert not any(file.has(f"another one {n}") for n in range(100))


def test_a_listed_password_is_refused_however_good_it_looks(tmp_path: Path) -> None:
    (tmp_path / "pwned.txt").write_text(_sha1(PASSWORD).upper() + ":3\n")
    assert open_passwords(None, 1).objection(PASSWORD) is None
    assert "stolen" in str(open_passwords(tmp_path / "pwned.txt", 1).objection(PASSWORD))
    with pytest.raises(Unavailable, match="BREACHED_PASSWORDS"):
        open_passwords(tmp_path / "missing.txt", 1)


@pytest.mark.parametrize(
    "password", ["anna.miller", "anna.miller@example.com", "aaaaaaaaaaaa", "qwertyuiop", "1q2w3e4r5t"]
)
def test_what_is_known_of_a_person_is_no_password(password: str) -> None:
    near = ["anna.miller@example.com", "anna.miller"]
    assert Argon2Passwords(cost=Cost(8, 1)).objection(password, near)


def test_a_hash_costs_at_least_what_owasp_asks_for() -> None:
    stored = Argon2Passwords().hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert Argon2Passwords().matches(stored, PASSWORD) and not Argon2Passwords().matches(None, PASSWORD)
    assert Argon2Passwords(cost=Cost(8, 1)).outdated(stored) and not Argon2Passwords().outdated(stored)
