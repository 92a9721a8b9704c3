"""Fans' own wallets in requests and answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.consents import Agreement
from api.schemas.fields import Address, Body, Line, When

Signature = Annotated[str, Field(strict=True, pattern="^0x(?:[0-9a-fA-F]{2}){1,4096}$")]


class WalletQuestion(Body):
    """Which wallet shall be linked."""

    address: Address


class WalletToSign(BaseModel):
    """The text to sign (EIP-4361), good once."""

    nonce: str
    message: str = Field(description="To be signed as it stands, with `personal_sign` (EIP-191).")
    expires_at: When


class WalletProof(Body):
    """The answer to it."""

    nonce: str = Field(strict=True, pattern="^[0-9a-f]{32}$")
    signature: Signature = Field(description="65 bytes of the wallet's key, or whatever its code takes (ERC-1271).")
    label: Annotated[Line, Field(max_length=60)] = "My wallet"


class OwnWallet(BaseModel):
    """A wallet whose key is the fan's."""

    address: str
    label: str
    linked_at: When


class OwnWallets(BaseModel):
    """All addresses of a fan: `kept` by the service (null until it is first needed), and their own."""

    kept: str | None
    items: list[OwnWallet]


class Withdrawal(Agreement):
    """Where a ticket goes to out of custody: a linked wallet."""

    to: Address


class Registration(BaseModel):
    """Arguments of the ledger's `registerWallet(account, deadline, consent)`, which the wallet itself calls."""

    ledger: str
    account: str
    wallet: str
    deadline: int
    consent: str
