"""A relayer's account as its sender sees it: may it send, are all its transactions ours, what stops it.

Other than by us its nonces are used when somebody else has the key, or when our database is an old copy. Nobody guesses
which: a doubt that stands stops the signer until an operator has looked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ticketchain.chain.gateway import Gateway
from ticketchain.chain.limits import Limits
from ticketchain.chain.plan import SenderStopped
from ticketchain.store import claims, outbox, signers
from ticketchain.store.engine import Store

_QUIET = timedelta(minutes=1)
_AHEAD = "ahead"


class Account:
    """One relayer's account on one chain."""

    def __init__(
        self, store: Store, gateway: Gateway, address: str, clock: Callable[[], datetime], log: Any, limits: Limits
    ) -> None:
        self._store, self._gateway, self._address = store, gateway, address
        self._clock, self._log, self._limits = clock, log, limits
        self._doubts: dict[str, list[datetime]] = {}
        self._alarmed: dict[str, datetime] = {}

    def may_send(self) -> bool:
        """False while it is stopped, or in doubt. Looks at the chain now and then. Raises `SenderStopped`."""
        with self._store.read() as tx:
            row = signers.signer(tx, self._address)
        if row is not None and row.stopped_at is not None:
            return False
        due = row is None or row.nonce is None or self._clock() - row.checked_at >= self._limits.look_every
        return self._look(row) if due else True

    def _look(self, row: Any) -> bool:
        """Notes nonce and balance, unless more nonces are used than we gave out. One that is new or was resumed goes on
        from whatever the chain says.
        """
        nonce, balance = self._gateway.nonce(self._address), self._gateway.balance(self._address)
        with self._store.read() as tx:  # after the question: what we sent meanwhile must not look like somebody else's
            ours = max(outbox.next_nonce(tx, self._address) or 0, (row and row.nonce) or 0)
        if row is None or row.nonce is None:
            self._accept(nonce)
        elif nonce > ours:
            nonces = f"nonces {ours} to {nonce - 1}"
            self.doubt(_AHEAD, f"{nonce - ours} transactions of {self._address} ({nonces}) are not ours")
            return False
        self.clear(_AHEAD)
        most = max(nonce, (row and row.nonce) or 0)  # a node that lags behind does not make a used nonce unused
        with self._store.begin() as tx:
            signers.note(tx, self._address, most, balance, self._clock())
        return True

    def _accept(self, nonce: int) -> None:
        """Transactions of ours whose nonce something else used count as failed at this height: when it is final, and
        none of them was seen in a block, their intents are sent anew.
        """
        head = self._gateway.head().number
        with self._store.read() as tx:
            rows = outbox.under_way(tx, self._address)
        for row in rows:
            if row.nonce < nonce and not self.is_mined(row.id):
                self._log.warning("a nonce was used by something else", signer=self._address, nonce=row.nonce)
                with self._store.begin() as tx:
                    outbox.set_failed(tx, row.id, head)

    def is_mined(self, transaction_id: int) -> bool:
        """Whether the node has a receipt of any version of a transaction."""
        with self._store.read() as tx:
            hashes = outbox.attempts(tx, transaction_id)
        return any(self._gateway.receipts(hashes)) if hashes else False

    def doubt(self, name: str, what: str) -> None:
        """Raises `SenderStopped` when the same doubt has stood for a while: one node may lag behind another."""
        now = self._clock()
        times = self._doubts.setdefault(name, [])
        times.append(now)
        if len(times) >= self._limits.doubts and now - times[0] >= self._limits.doubt_for:
            self._doubts.clear()
            raise SenderStopped(
                f"{what}; find out who else holds this key, or whether this database is an old copy, before "
                f"`ticketchain outbox resume {self._address}`"
            )

    def clear(self, name: str) -> None:
        """A doubt was unfounded."""
        self._doubts.pop(name, None)

    def stop(self, reason: str) -> None:
        """Stops it until an operator lets it go on; what it had claimed goes to others."""
        with self._store.begin() as tx:
            stopped = signers.stop(tx, self._address, reason, self._clock())
            claims.give_up(tx, self._address)
        if stopped:
            self._log.error("signer stopped", signer=self._address, reason=reason)

    def alarm(self, what: str, **about: Any) -> None:
        """Tells the log, the same thing once a minute."""
        last, now = self._alarmed.get(what), self._clock()
        if last is None or now - last >= _QUIET:
            self._alarmed[what] = now
            self._log.error(what, signer=self._address, **about)
