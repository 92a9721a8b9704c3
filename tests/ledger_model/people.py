"""The cast of a random history: who has which key, and who has code at the address."""

from dataclasses import dataclass
from functools import cache

import coincurve
from eth_hash.auto import keccak

from tests.ledger_model.words import ADDRESS


def private_key(seed: int) -> coincurve.PrivateKey:
    """A key of the cast."""
    return coincurve.PrivateKey(bytes(keccak(b"cast %d" % seed)))


def address_of(key: coincurve.PrivateKey) -> int:
    """Account of a key."""
    return int.from_bytes(keccak(key.public_key.format(compressed=False)[1:]), "big") & ADDRESS


@dataclass(frozen=True)
class Wallet:
    """A contract wallet: its address and the account whose key signs for it."""

    address: int
    signer: int


@dataclass(frozen=True)
class Cast:
    """Everybody by what they do.

    Fans have keys and may be custodied or not; `wallets` are theirs, with allowed code; `smart` is a fan with an
    EIP-7702 delegation to code that answers nothing; `market` is other code, not allowed at first.
    """

    keys: dict[int, coincurve.PrivateKey]
    admin: int
    relayers: tuple[int, ...]
    attestor: int
    organizers: tuple[int, ...]
    gate: int
    stranger: int
    fans: tuple[int, ...]
    smart: int
    wallets: tuple[Wallet, ...]
    market: int
    ledger: int
    tokens: tuple[int, ...]

    @property
    def holders(self) -> tuple[int, ...]:
        """Who may come to hold tickets, or try."""
        return (*self.fans, self.smart, *(wallet.address for wallet in self.wallets))


@cache
def keys() -> dict[int, coincurve.PrivateKey]:
    """All keys by account, in a fixed order."""
    made = [private_key(seed) for seed in range(14)]
    return {address_of(key): key for key in made}


def cast(wallets: tuple[int, int], market: int, ledger: int, tokens: tuple[int, ...]) -> Cast:
    """The cast of a world whose contracts have these addresses."""
    accounts = tuple(keys())
    fans = accounts[8:13]
    return Cast(
        keys=keys(),
        admin=accounts[0],
        relayers=accounts[1:3],
        attestor=accounts[3],
        organizers=accounts[4:6],
        gate=accounts[6],
        stranger=accounts[7],
        fans=fans,
        smart=accounts[13],
        wallets=tuple(Wallet(wallet, fan) for wallet, fan in zip(wallets, fans, strict=False)),
        market=market,
        ledger=ledger,
        tokens=tokens,
    )
