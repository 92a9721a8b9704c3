"""The sandbox's webhook sender: real HTTP, at least once, again until a 2xx answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx

from ticketchain.payments.webhooks import HEADER, sign
from ticketchain.store import sandbox as rows
from ticketchain.store.engine import Store

BATCH = 20
LEASE = timedelta(seconds=6)  # whose sender died is sent again; what arrives twice is known by its event id
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(hours=1)


class WebhookSender:
    """Sends due messages of the sandbox to one URL, signed with every secret at the moment of sending."""

    def __init__(
        self,
        store: Store,
        url: str,
        secrets: Sequence[str],
        clock: Callable[[], datetime],
        client: httpx.Client | None = None,
        timeout: float = 5.0,
        side_by_side: int = 4,
    ) -> None:
        self._store = store
        self._url = url
        self._secrets = tuple(filter(None, secrets))
        if not self._secrets:
            raise ValueError("webhooks: no secret is set, so none can be signed")
        self._clock = clock
        self._client = client or httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False)
        self._hands = ThreadPoolExecutor(side_by_side, "webhooks")

    def step(self) -> bool:
        """Sends some due messages, several at a time; False if none was due. One that is not answered is due again."""
        now = self._clock()
        claimed = self._store.retry(lambda tx: rows.claim_messages(tx, now, now + LEASE, BATCH))
        results = self._send_all(claimed)
        if results:
            self._store.retry(lambda tx: rows.reschedule_messages(tx, results))
        return bool(claimed)

    def close(self) -> None:
        """Closes the connections."""
        self._hands.shutdown()
        self._client.close()

    def _send_all(self, messages: Sequence[rows.Message]) -> list[tuple[int, datetime | None]]:
        """When each message is due again; None for one that arrived."""
        return [
            (message.number, None if arrived else self._clock() + pause(message.attempts))
            for message, arrived in zip(messages, self._hands.map(self._send, messages), strict=True)
        ]

    def _send(self, message: rows.Message) -> bool:
        """Whether a 2xx answered."""
        body = message.body.encode()
        headers = {HEADER: sign(self._secrets, self._clock(), body), "Content-Type": "application/json"}
        try:
            return self._client.post(self._url, content=body, headers=headers).is_success
        except httpx.HTTPError:
            return False


def pause(attempts: int) -> timedelta:
    """How long to wait after this many failed attempts: doubling from half a second to an hour."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts, 20)
    return min(doubled, LONGEST_PAUSE)
