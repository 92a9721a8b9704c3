"""The keeper of personal data for tests: real keys, in a database of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.support.databases import fresh_database
from ticketchain.people.keeper import Keeper
from ticketchain.sealing.keyring import Keyring
from ticketchain.store.person_keys import PersonKeys


def open_keeper(folder: Path, clock: Callable[[], datetime], engine: str = "sqlite") -> Keeper:
    """A keeper whose keys and wrapping key are in a folder, or in a database of this engine."""
    provider = Keyring(folder / "people" / "master.key")
    url = f"sqlite:///{folder / 'people' / 'keys.db'}" if engine == "sqlite" else fresh_database(engine, folder)
    return Keeper(PersonKeys(url, clock), provider)
