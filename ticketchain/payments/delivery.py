"""The sandbox's webhook sender: real HTTP, at least once, again until a 2xx answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import httpx

from ticketchain.payments.webhooks import HEADER, sign
from ticketchain.store import sandbox as rows
from ticketchain.store.engine import Store

BATCH = 5
LEASE = timedelta(seconds=30)  # longer than a batch can take: nobody else sends it meanwhile
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
    ) -> None:
        self._store = store
        self._url = url
        self._secrets = tuple(filter(None, secrets))
        if not self._secrets:
            raise ValueError("webhooks: no secret is set, so none can be signed")
        self._clock = clock
        self._client = client or httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def step(self) -> bool:
        """Sends up to five due messages; False if none was due. A message that is not answered is due again
        later.
        """
        now = self._clock()
        claimed = self._store.retry(lambda tx: rows.claim_messages(tx, now, now + LEASE, BATCH))
        results = self._send_all(claimed)
        if results:
            self._store.retry(lambda tx: rows.reschedule_messages(tx, results))
        return bool(claimed)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _send_all(self, messages: Sequence[rows.Message]) -> list[tuple[int, datetime | None]]:
        """When each message is due again. After one that reached nobody the others are not tried."""
        results: list[tuple[int, datetime | None]] = []
        answered = True
        for message in messages:
            status = self._send(message) if answered else None
            answered = status is not None
            sent = status is not None and 200 <= status < 300
            results.append((message.number, None if sent else self._clock() + pause(message.attempts)))
        return results

    def _send(self, message: rows.Message) -> int | None:
        """The HTTP status of the answer, or None if there was none."""
        body = message.body.encode()
        headers = {HEADER: sign(self._secrets, self._clock(), body), "Content-Type": "application/json"}
        try:
            return self._client.post(self._url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return None


def pause(attempts: int) -> timedelta:
    """How long to wait after this many failed attempts: doubling from half a second to an hour."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts, 20)
    return min(doubled, LONGEST_PAUSE)
