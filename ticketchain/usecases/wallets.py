"""A person's wallet is made when it is first needed: at the first hold, order, gift or passkey."""

from __future__ import annotations

from ticketchain.store import accounts, logins
from ticketchain.usecases.common import Principal, required
from ticketchain.usecases.parts import Parts


def wallet_of(parts: Parts, fan_id: str) -> str:
    """The address of a fan's wallet, which is made if there is none. It asks the signer, so outside of transactions.
    Raises `NotFound`, and what the signer raises.
    """
    with parts.store.read() as tx:
        row = required(accounts.fan(tx, fan_id), f"fan {fan_id!r}")
    if row.address is not None:
        return str(row.address)
    address = parts.signer.wallet(fan_id)
    with parts.store.begin() as tx:
        logins.give_wallet(tx, fan_id, address, parts.clock())
    return address


def need_wallet(parts: Parts, who: Principal) -> None:
    """Makes the caller's wallet unless it is known to be there, which costs no statement. Outside of transactions."""
    if not who.has_wallet:
        wallet_of(parts, who.fan)
