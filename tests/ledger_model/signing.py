"""What people sign: EIP-712 messages, and the forms that a signature may have."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import coincurve
from eth_hash.auto import keccak

from tests.ledger_model.codec import hash_text, tuple_encoder

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_TYPES = (
    "Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)",
    "Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)",
    "Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)",
    "Revoke(uint64 id,uint16 epoch,uint40 deadline)",
    "Deliveries(uint40 eventId,bytes32 lines)",
    "Settlements(uint40 eventId,bytes32 lines)",
    "Void(uint64 id,uint16 epoch,bytes16 reference)",
    "RegisterWallet(address account,address wallet,uint40 deadline)",
    "Withdraw(uint64 id,uint16 epoch,address to,uint40 deadline)",
    "Deposit(uint64 id,uint16 epoch,address to,uint40 deadline)",
    "Swap(uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline)",
    "PoolReturn(uint64 id,uint16 epoch,uint40 price,uint40 deadline)",
    "Activate(uint64 id,uint16 epoch,uint40 deadline)",
    "Identity(uint64 id,uint16 epoch,bytes32 commitment,uint40 deadline)",
    "Veto(uint64 id,uint16 epoch,uint40 deadline)",
    "Claim(address account,address token,address to,uint256 nonce,uint40 deadline)",
    "Exchange(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline)",
    "ExchangePaid(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference)",
    "Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)",
    "Unfreeze(uint64 id,uint16 epoch,bytes16 reference)",
    "RefundsPaid(uint40 eventId,uint128 paidBefore,bytes32 lines)",
    "Voucher(uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry)",
)
TYPES = {text.partition("(")[0]: text for text in _TYPES}

GOOD_FORMS = ("long", "short")
BAD_FORMS = ("high s", "other chain", "other ledger", "cut", "garbage")

Message = tuple[object, ...]
"""Name of an EIP-712 type, and its values."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature: whose key signed what, and in which form its bytes are sent."""

    signer: int
    message: Message
    form: str = "long"

    def is_by_key(self, account: int, message: Message) -> bool:
        """Whether it is this account's own signature over this message."""
        return account != 0 and self.signer == account and self.form in GOOD_FORMS and self.message == message


@dataclass(frozen=True, slots=True)
class Unsigned:
    """No signature at all: empty bytes."""

    signer: int = 0

    def is_by_key(self, account: int, message: Message) -> bool:
        """Never."""
        return False


Consent = Signed | Unsigned
NOTHING = Unsigned()


def domain(chain_id: int, ledger: int) -> bytes:
    """EIP-712 domain separator."""
    kind = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    words = (hash_text(kind), hash_text("ticketchain"), hash_text("1"), chain_id, ledger)
    return bytes(keccak(tuple_encoder(("bytes32", "bytes32", "bytes32", "uint256", "address"))(words)))


def digest(separator: bytes, message: Message) -> bytes:
    """What a key signs for this message in this domain."""
    kinds, type_hash = _type(str(message[0]))
    return bytes(keccak(b"\x19\x01" + separator + keccak(type_hash + tuple_encoder(kinds)(message[1:]))))


@cache
def _type(name: str) -> tuple[tuple[str, ...], bytes]:
    members = TYPES[name].partition("(")[2].rstrip(")").split(",")
    return tuple(member.split(" ")[0] for member in members), hash_text(TYPES[name])


class Signer:
    """Turns signatures into bytes, for one ledger on one chain, with everybody's keys."""

    def __init__(self, chain_id: int, ledger: int, keys: dict[int, coincurve.PrivateKey]) -> None:
        self._keys = keys
        self._domain = domain(chain_id, ledger)
        self._strange = {"other chain": domain(chain_id + 1, ledger), "other ledger": domain(chain_id, ledger ^ 1)}
        self._made: dict[Signed, bytes] = {}

    def encode(self, consent: Consent) -> bytes:
        """The signature's bytes."""
        if isinstance(consent, Unsigned):
            return b""
        made = self._made.get(consent)
        if made is None:
            made = self._made[consent] = self._sign(consent)
        return made

    def encode_list(self, consents: Sequence[Consent]) -> bytes:
        """Signatures of a bulk resale: each with its length before it."""
        coded = [self.encode(consent) for consent in consents]
        return b"".join([len(signature).to_bytes(2, "big") + signature for signature in coded])

    def _sign(self, consent: Signed) -> bytes:
        hashed = digest(self._strange.get(consent.form, self._domain), consent.message)
        raw = self._keys[consent.signer].sign_recoverable(hashed, hasher=None)
        r, s, parity = raw[:32], raw[32:64], raw[64]
        if consent.form == "short":
            return r + (int.from_bytes(s, "big") | parity << 255).to_bytes(32, "big")
        if consent.form == "high s":
            return r + (_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big") + bytes([28 - parity])
        if consent.form == "cut":
            return raw[:63]
        if consent.form == "garbage":
            return bytes(keccak(raw)) * 2 + bytes([27 + parity])
        return r + s + bytes([27 + parity])
