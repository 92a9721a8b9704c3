"""Fans' own wallets: linking them, and tickets out of custody and back (docs/own-wallets.md)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import AfterValidator

from api.deps import Caller, Creating, Shop, created, scope
from api.schemas import answers, wallets
from api.schemas.consents import Agreement, given
from api.schemas.fields import KnownTicket, known_address
from ticketchain.usecases import own_wallets

router = APIRouter(tags=["Wallets"])
Linked = Annotated[str, Path(description="Address of a linked wallet."), AfterValidator(known_address)]


@router.get("/wallets", summary="List my wallets", response_model=wallets.OwnWallets, **scope("tickets:write"))
def list_wallets(shop: Shop, who: Caller) -> dict[str, Any]:
    """Tickets of all of them are in `GET /v1/tickets`."""
    return own_wallets.list_wallets(shop, who)


@router.post(
    "/wallets/questions",
    summary="Begin to link a wallet",
    response_model=wallets.WalletToSign,
    **scope("tickets:write", 422),
)
def ask_wallet(body: wallets.WalletQuestion, shop: Shop, who: Caller) -> dict[str, Any]:
    """The text that the wallet signs: Sign-In with Ethereum (EIP-4361). It moves nothing and costs nothing."""
    return own_wallets.ask_for_proof(shop, who, body.address)


@router.post(
    "/wallets",
    summary="Link a wallet",
    status_code=201,
    response_model=wallets.OwnWallet,
    **scope("tickets:write", 409, 422, 503),
)
def link_wallet(body: wallets.WalletProof, shop: Shop, asked: Creating, response: Response) -> dict[str, Any]:
    """With the signature over that text. Wallets with code of their own are asked themselves (ERC-1271)."""
    signature = bytes.fromhex(body.signature[2:])
    view = own_wallets.link(shop, asked.request(body), body.nonce, signature, body.label)
    created(response, "/v1/wallets")
    return view


@router.delete("/wallets/{address}", summary="Unlink a wallet", status_code=204, **scope("tickets:write", 404))
def unlink_wallet(address: Linked, shop: Shop, who: Caller) -> None:
    """What it holds stays in it."""
    own_wallets.unlink(shop, who, address)


@router.post(
    "/wallets/{address}/registration",
    summary="Get a wallet registered on the ledger",
    response_model=wallets.Registration,
    **scope("tickets:write", 404, 422, 429, 503),
)
def register_wallet(address: Linked, shop: Shop, who: Caller, body: Agreement | None = None) -> dict[str, Any]:
    """Optional: tickets that the kept wallet gets after it go to this one and come back without counting as gifts. The
    wallet itself sends the answer to the ledger. 403 `consent_required` without the fan's passkey.
    """
    return own_wallets.registration(shop, who, address, given(body))


@router.post(
    "/tickets/{ticket_id}/withdrawal",
    summary="Take a ticket into one's own wallet",
    status_code=201,
    response_model=answers.Move,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def withdraw_ticket(
    ticket_id: KnownTicket, body: wallets.Withdrawal, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """To a linked wallet; the ledger counts it as a gift unless that wallet was registered before the ticket came. 403
    `consent_required` without the fan's passkey.
    """
    view = own_wallets.withdraw(shop, asked.request(body), ticket_id, body.to, given(body))
    created(response, f"/v1/moves/{view['id']}")
    return view


@router.post(
    "/tickets/{ticket_id}/deposit",
    summary="Give a ticket back into custody",
    status_code=201,
    response_model=answers.Move,
    **scope("tickets:write", 404, 409, 422, 503),
)
def deposit_ticket(
    ticket_id: KnownTicket, shop: Shop, asked: Creating, response: Response, body: Agreement | None = None
) -> dict[str, Any]:
    """From a linked wallet. 403 `consent_required` without that wallet's signature."""
    view = own_wallets.deposit(shop, asked.request(body), ticket_id, given(body))
    created(response, f"/v1/moves/{view['id']}")
    return view
