"""Which contract on which chain."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import Shop, public
from api.schemas import chain
from ticketchain.usecases import tickets

router = APIRouter(tags=["Ledger"])


@router.get("/ledger", summary="Where the truth is", response_model=chain.Ledger, **public())
def get_ledger(shop: Shop) -> dict[str, Any]:
    """Chain id, the contract's address, and how far this service follows it. Anyone can audit from there."""
    return tickets.ledger_view(shop)
