"""A signing desk with a clock of its own, and fans with passkeys in software."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.signing import SITE, open_desk
from ticketchain.demo.passkey import SoftPasskey, from_text, to_text
from ticketchain.domain.consents import Consent, Gift
from ticketchain.domain.proofs import Passkey, PasskeyProof, Registration
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.fans import Rules
from ticketchain.signer.vault import Entry

CHAIN = 31_337
LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
TICKET = 1 << 24
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Stands still until it is told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)

    def unix(self, **by: float) -> int:
        return int((self.now + timedelta(**by)).timestamp())


@dataclass
class World:
    """A desk and its clock."""

    desk: SigningDesk
    clock: Clock
    names: int = 0

    @classmethod
    def at(cls, folder: Path, rules: Rules | None = None, clock: Clock | None = None, **more: Any) -> World:
        clock = clock or Clock()
        return cls(open_desk(folder, clock, CHAIN, [LEDGER], rules=rules, **more), clock)

    def fan(self) -> Fan:
        """A new fan whose first passkey is enrolled."""
        self.names += 1
        fan = Fan(self, f"fan_{self.names}")
        fan.enrol(fan.passkey)
        return fan

    def gift(self, ticket: int = TICKET, **by: float) -> Gift:
        """A gift that ends in an hour, or as said."""
        return Gift(ticket, 1, OTHER, True, self.clock.unix(**(by or {"hours": 1})))

    def entry(self, work: Callable[[Entry], Any]) -> Any:
        """Something done in the vault itself."""
        with self.desk.vault.entry(self.clock()) as entry:
            return work(entry)


def new_passkey() -> SoftPasskey:
    return SoftPasskey.at(SITE, "testserver")


@dataclass
class Fan:
    """An owner with a wallet and a first passkey."""

    world: World
    owner: str
    passkey: SoftPasskey = field(default_factory=new_passkey)

    @property
    def address(self) -> str:
        return self.world.desk.wallet(self.owner)

    def enrol(self, passkey: SoftPasskey, label: str = "phone") -> Passkey:
        challenge = self.world.desk.begin_enrolment(self.owner)
        return self.world.desk.enrol(self.owner, registration(passkey, challenge), label)

    def proof(self, consent: Consent, passkey: SoftPasskey | None = None) -> PasskeyProof:
        return assertion(passkey or self.passkey, self.world.desk.challenge(consent))

    def agree(self, consent: Consent, passkey: SoftPasskey | None = None) -> bytes:
        return self.world.desk.consent(self.address, consent, self.proof(consent, passkey))


def registration(passkey: SoftPasskey, challenge: bytes) -> Registration:
    said = {name: from_text(value) for name, value in passkey.register(to_text(challenge)).items()}
    return Registration(said["id"], said["client_data_json"], said["attestation_object"])


def assertion(passkey: SoftPasskey, challenge: bytes) -> PasskeyProof:
    said = {name: from_text(value) for name, value in passkey.sign(to_text(challenge)).items()}
    return PasskeyProof(said["id"], said["client_data_json"], said["authenticator_data"], said["signature"])
