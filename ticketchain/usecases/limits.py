"""Whether somebody may buy now, and how many: sale windows, tickets in an order, tickets an account may have.

The window is for those who buy by themselves or from a partner; the organizer's own box office sells before and after
it. It is about first sales: resale has times of its own, on the ledger.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.errors import Conflict
from ticketchain.domain.orders import Channel
from ticketchain.domain.sale import SaleWindow
from ticketchain.store import accounts, chain, orders, own_wallets
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts


def refuse_outside_sale(parts: Parts, event: Any, channel: Channel) -> None:
    """Raises `SaleNotOpen` or `SaleClosed`, which name the time. The box office is not bound."""
    if channel != Channel.BOX_OFFICE:
        window = SaleWindow.of(event.sale_opens_at, event.sale_closes_at, event.schedule["doors_at"])
        window.refuse_outside(parts.clock())


def refuse_over_order_limit(event: Any, quantity: int) -> None:
    """Raises `Conflict` for more tickets than the event sells in one order, in whatever channel."""
    if event.order_limit and quantity > event.order_limit:
        limit = event.order_limit
        raise Conflict(f"quantity: one order may have {limit} tickets of this event, not {quantity}", limit=limit)


def refuse_over_holder_limit(tx: Tx, event: Any, fan_id: str, quantity: int) -> None:
    """The ledger lets nobody have more tickets of the event than its terms allow; nobody shall pay for more, either.

    Tickets on order count, of all channels and resales. Orders of one fan wait for each other. Raises `Conflict`.
    """
    limit = event.terms["holder_limit"]
    if not limit:
        return
    accounts.lock_fan(tx, fan_id)
    has = chain.count_held_of(tx, event.number, own_wallets.addresses_of(tx, fan_id))
    has += orders.tickets_on_order(tx, event.id, fan_id)
    if has + quantity > limit:
        raise Conflict(f"quantity: one account may have {limit} tickets of this event; you have {has}", limit=limit)
