"""Publishes the heads of the signer's log and of the access log on chain, on a schedule: after that nobody can take a
row away or change one unseen, not even who has every key and database of ours.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.anchors import NO_HASH, Head
from ticketchain.domain.intents import Anchor
from ticketchain.domain.ledgers import first_event
from ticketchain.domain.proofs import LogHead
from ticketchain.store import access, anchors
from ticketchain.usecases.common import intend
from ticketchain.usecases.parts import Parts


def publish_heads(parts: Parts) -> bool:
    """Writes the intent that publishes the heads, when it is time and the logs have something new: then True. The first
    look only begins the time.
    """
    if not parts.rules.anchor_every:
        return False
    now = parts.clock()
    with parts.store.read() as tx:
        last = anchors.last(tx)
    if last is not None and now < last.checked_at + parts.rules.anchor_every:
        return False
    if last is None:
        with parts.store.begin() as tx:
            anchors.add(tx, 0, Head(0, NO_HASH), Head(0, NO_HASH), now)
        return False
    if not parts.signer.check_log(LogHead(last.signer_seq, last.signer_hash)):
        parts.log.error("the signer's log has lost a row that was published", row=last.signer_seq)
    return _publish(parts, last, Head(*_of_signer(parts)))


def _publish(parts: Parts, last: Any, signer: Head) -> bool:
    with parts.store.begin() as tx:
        head, number = access.head(tx), last.number + 1
        # one row tells of the last anchor itself
        if head.seq == last.access_seq and 0 <= signer.seq - last.signer_seq <= 1:
            anchors.set_checked(tx, last.number, parts.clock())
            return False
        if not anchors.add(tx, number, signer, head, parts.clock()):
            return False
        intent = Anchor(signer.seq, signer.hash.hex(), head.seq, head.hash.hex())
        return intend(parts, tx, first_event(parts.ledger.number), str(number), intent)


def _of_signer(parts: Parts) -> tuple[int, bytes]:
    head = parts.signer.log_head()
    return head.seq, head.hash
