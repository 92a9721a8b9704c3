"""The way out when a nonce will never be used by what it was given to: a transaction that does nothing but use it up.

Only an operator's command comes here. The sender then sends it like any version of the transaction, and whichever
version is mined counts; after the filler, the intents go out anew once its block is final.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ticketchain.chain.fees import FREE, first_fees, next_fees
from ticketchain.chain.sender import TransactionSigner
from ticketchain.chain.types import Fees
from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.store import outbox, signers
from ticketchain.store.engine import Store, Tx

_GAS = 21_000


def fill(
    store: Store,
    signer: TransactionSigner,
    address: str,
    nonce: int,
    *,
    mined: int,
    suggested: Fees,
    cap: int,
    now: datetime,
) -> dict[str, Any]:
    """Stores a filler for a nonce of ours: one whose transaction waits, or one that no transaction has.

    `mined` is how many of its transactions the chain has, `suggested` are the fees that the chain asks for, `cap` the
    most that is offered, in wei. Raises `Invalid` for a nonce that was not given out or is used, `Conflict` when it
    cannot be replaced.
    """
    with store.read() as tx:
        old = _old_fees(tx, address, nonce, mined)
    fees = _fees(old, suggested, cap)
    signed = signer.filler(address, nonce, fees.max_fee, fees.priority_fee)
    with store.begin() as tx:
        if _old_fees(tx, address, nonce, mined) != old:
            raise Conflict(f"nonce {nonce} of {address} was sent anew meanwhile; look again")
        number = outbox.transaction_of(tx, address, nonce)
        if number is None:
            nothing = {"kind": "filler", "event_number": 0, "data": b"", "gas": _GAS}
            values = {"ledger": 0, "signer": address, "nonce": nonce, "created_at": now}
            number = outbox.add_transaction(tx, values | nothing)
        values = {"hash": signed.hash, "transaction_id": number, "raw": signed.raw, "filler": True, "created_at": now}
        outbox.add_attempt(tx, values | {"max_fee": str(fees.max_fee), "priority_fee": str(fees.priority_fee)})
    return {"signer": address, "nonce": nonce, "hash": f"0x{signed.hash.hex()}", "max_fee": str(fees.max_fee)}


def _old_fees(tx: Tx, address: str, nonce: int, mined: int) -> Fees | None:
    """Fees of the version that waits; None when there is none."""
    row = signers.signer(tx, address)
    if row is None:
        raise Invalid(
            "signer", f"{address} has sent nothing from here; `ticketchain outbox signers` lists those that have"
        )
    waiting = {each.nonce: each for each in outbox.under_way(tx, address)}
    if (found := waiting.get(nonce)) is not None:
        return None if found.hash is None else Fees(int(found.max_fee), int(found.priority_fee))
    following = max(outbox.next_nonce(tx, address) or 0, row.nonce or 0)
    if nonce < mined or outbox.transaction_of(tx, address, nonce) is not None:
        raise Invalid("nonce", f"{nonce} of {address} is used already")
    if nonce >= following:
        raise Invalid("nonce", f"{nonce} was not given out yet; the next one of {address} is {following}")
    return None


def _fees(old: Fees | None, suggested: Fees, cap: int) -> Fees:
    if old in (None, FREE) and suggested == FREE:
        return FREE
    fees = first_fees(suggested, cap) if old is None else next_fees(old, suggested, cap)
    if fees is None:
        raise Conflict(f"a filler would have to offer more than {cap:,} wei per gas; raise TICKETCHAIN_MAX_FEE_GWEI")
    return fees
