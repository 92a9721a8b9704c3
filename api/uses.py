"""Notes when API keys were last used, beside the requests: none of them waits for it, or fails with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property

from ticketchain.domain.errors import Unavailable
from ticketchain.usecases import accounts
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts


class Uses:
    """One thread of a process; it writes once in some minutes for each key of staff, and never for fans."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._under_way: set[str] = set()

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "last-use")

    def note(self, who: Principal) -> None:
        """Has the use of a key noted, unless it was a few minutes ago."""
        if who.unnoted and who.key_id not in self._under_way:
            self._under_way.add(who.key_id)
            self._thread.submit(self._write, who.key_id)

    def _write(self, key_id: str) -> None:
        with suppress(Unavailable):  # the next request tries it again
            accounts.note_use(self._parts, key_id)
        self._under_way.discard(key_id)
