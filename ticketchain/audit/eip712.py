"""What holders and attestors sign (EIP-712), and who signed it.

Domain: name "ticketchain", version "1", chain id, the ledger. Written from the comments of `ITicketLedger`.
"""

from collections.abc import Sequence
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage
from web3 import Web3

from ticketchain.audit import abi

TYPES = {
    "Gift": "uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline",
    "Offer": "uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline",
    "Refund": "uint64 id,uint16 epoch,uint40 amount,uint40 deadline",
    "Revoke": "uint64 id,uint16 epoch,uint40 deadline",
    "Deliveries": "uint40 eventId,bytes32 lines",
    "Settlements": "uint40 eventId,bytes32 lines",
    "Void": "uint64 id,uint16 epoch,bytes16 reference",
    "Withdraw": "uint64 id,uint16 epoch,address to,uint40 deadline",
    "Deposit": "uint64 id,uint16 epoch,address to,uint40 deadline",
    "Activate": "uint64 id,uint16 epoch,uint40 deadline",
    "Swap": "uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline",
    "PoolReturn": "uint64 id,uint16 epoch,uint40 price,uint40 deadline",
    "Exchange": "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline",
    "ExchangePaid": "uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference",
    "Freeze": "uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference",
    "Unfreeze": "uint64 id,uint16 epoch,bytes16 reference",
    "RefundsPaid": "uint40 eventId,uint128 paidBefore,bytes32 lines",
    "Voucher": "uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry",
}
_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def domain_separator(ledger: str, chain_id: int) -> bytes:
    """What ties a signature to one ledger on one chain."""
    values = [_hash(_DOMAIN), _hash("ticketchain"), _hash("1"), chain_id, ledger]
    return bytes(Web3.keccak(abi.codec.encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], values)))


def signer_of(domain: bytes, type_name: str, values: Sequence[Any], signature: bytes) -> str:
    """Lower-case address whose key signed these values; empty if the values or the signature are none."""
    fields = TYPES[type_name]
    kinds = ["bytes32", *(field.split()[0] for field in fields.split(","))]
    try:
        body = Web3.keccak(abi.codec.encode(kinds, [_hash(f"{type_name}({fields})"), *values]))
        message = SignableMessage(b"\x01", domain, bytes(body))
        signer = Account.recover_message(message, signature=unpacked(signature))
    except (
        Exception
    ):  # values out of range, bytes that are no signature: eth-abi and eth-keys have many errors for them
        return ""
    return str(signer).lower()


def unpacked(signature: bytes) -> bytes:
    """A signature in 65 bytes, also if it came in the 64 of EIP-2098, where v is the highest bit of s."""
    if len(signature) != 64:
        return signature
    parity, s = signature[32] >> 7, bytes([signature[32] & 0x7F]) + signature[33:]
    return signature[:32] + s + bytes([27 + parity])


def lines_hash(lines: Sequence[dict[str, int]]) -> bytes:
    """keccak256(target0 ++ payment0 ++ target1 ++ payment1 …), which the attestor signs for a bulk call."""
    pairs = (line["target"].to_bytes(32, "big") + line["payment"].to_bytes(32, "big") for line in lines)
    return bytes(Web3.keccak(b"".join(pairs)))


def _hash(text: str) -> bytes:
    return bytes(Web3.keccak(text=text))
