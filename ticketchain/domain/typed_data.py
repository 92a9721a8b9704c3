"""A consent as EIP-712 typed data in JSON, as wallets sign and show it (`eth_signTypedData_v4`, ethers, eth_account).

The types are those of the ledger's interfaces. Numbers over 2^53 are texts: JavaScript would round them.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.consents import (
    Consent,
    Deposit,
    Exchange,
    Gift,
    Offer,
    Refund,
    RegisterWallet,
    Revoke,
    Withdraw,
    on_chain,
)

TYPES: dict[type[Any], str] = {
    Gift: "uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline",
    Offer: "uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline",
    Refund: "uint64 id,uint16 epoch,uint40 amount,uint40 deadline",
    Revoke: "uint64 id,uint16 epoch,uint40 deadline",
    Exchange: "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline",
    Withdraw: "uint64 id,uint16 epoch,address to,uint40 deadline",
    Deposit: "uint64 id,uint16 epoch,address to,uint40 deadline",
    RegisterWallet: "address account,address wallet,uint40 deadline",
}
"""What each kind of consent is made of, as Solidity writes it."""

_DOMAIN = "string name,string version,uint256 chainId,address verifyingContract"


def typed_data(consent: Consent, chain_id: int, ledger: str) -> dict[str, Any]:
    """The typed data of a consent for the ledger at an address (EIP-55) of a chain (EIP-155)."""
    kind, said = type(consent).__name__, on_chain(consent)
    fields = _fields(TYPES[type(consent)])
    return {
        "types": {"EIP712Domain": _fields(_DOMAIN), kind: fields},
        "primaryType": kind,
        "domain": {"name": "ticketchain", "version": "1", "chainId": chain_id, "verifyingContract": ledger},
        "message": {field["name"]: _value(field["type"], getattr(said, _attribute(field["name"]))) for field in fields},
    }


def _fields(text: str) -> list[dict[str, str]]:
    return [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in text.split(",")]


def _attribute(name: str) -> str:
    """Our name of a field: `to_id` for `toId`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _value(kind: str, value: Any) -> Any:
    if kind == "uint64":
        return str(value)
    return f"0x{value.encode().hex()}" if kind == "bytes3" else value
