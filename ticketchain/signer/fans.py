"""What the signer does for fans, organizers and payees: wallets, passkeys, consents, entry keys.

Each function works in one transaction of the vault (`Entry`) and raises a `SignerRefused` before it signs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import get_args

from eth_hash.auto import keccak

from ticketchain.domain.consents import Consent, Offer
from ticketchain.domain.errors import ProofRefused, SignerRefused
from ticketchain.domain.proofs import Passkey, PasskeyProof, Registration, Standing, drop_challenge
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer import holds, keys, limits, passkeys, switch
from ticketchain.signer.domains import Domains
from ticketchain.signer.limits import DAY, HOUR, Limits
from ticketchain.signer.passkeys import Site
from ticketchain.signer.vault import Entry, micros, moment

_OWNER_BYTES, _TEXT = 200, 1_000
_LEASE = b"ticketchain TC1 lease\x00"
_LEASE_BYTES = 22 + 8 + 20 + 8 + 2 + 44
_CHALLENGE = 32


@dataclass(frozen=True)
class Rules:
    """Times and limits of the signer. `longest`: how far ahead a consent may end; an offer stands longer."""

    hold: timedelta = timedelta(hours=24)
    settling_in: timedelta = timedelta(hours=1)  # after a wallet's making its first passkey is good at once
    enrolment: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(hours=25)
    longest_offer: timedelta = timedelta(days=62)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Fans:
    """The fans' side of the desk."""

    seal: Seal
    domains: Domains
    site: Site
    rules: Rules
    random: Callable[[int], bytes]

    # ------------------------------------------------------------------------------------------------ wallets

    def wallet(self, entry: Entry, owner: str) -> str:
        """Address of the owner's wallet, which is made when there is none."""
        row = entry.db.execute("SELECT address FROM wallets WHERE owner = ?", (_owner(owner),)).fetchone()
        if row is not None:
            return str(row[0])
        switch.refuse_while_stopped(entry)
        key = keys.new_key(self.seal, Purpose.WALLET, owner)
        values = (owner, key.address, key.sealed, key.version, entry.micros)
        entry.db.execute("INSERT INTO wallets VALUES (?, ?, ?, ?, ?)", values)
        entry.note("wallet made", owner, address=key.address)
        return key.address

    def standing(self, entry: Entry, owner: str) -> Standing:
        """The owner's passkeys and holds."""
        return Standing(passkeys.of_owner(entry, _owner(owner)), *holds.of_owner(entry, owner))

    # ------------------------------------------------------------------------------------------------ passkeys

    def begin_enrolment(self, entry: Entry, owner: str) -> bytes:
        """A challenge for the next passkey of the owner; it replaces the one before."""
        switch.refuse_while_stopped(entry)
        self.wallet(entry, owner)
        challenge, until = self.random(_CHALLENGE), micros(entry.now + self.rules.enrolment)
        entry.db.execute("INSERT OR REPLACE INTO enrolments VALUES (?, ?, ?)", (owner, challenge, until))
        return challenge

    def enrol(self, entry: Entry, owner: str, registration: Registration, label: str) -> Passkey:
        """Adds a passkey; unless it is the first of a new wallet, it begins a hold and is good when that ends."""
        switch.refuse_while_stopped(entry)
        challenge = self._open_challenge(entry, _owner(owner))
        checked = passkeys.check_registration(self.site, challenge, registration)
        new = Passkey(registration.credential_id, _text(label, "label"), entry.now, self._active_from(entry, owner))
        passkeys.add(entry, owner, new, *checked)
        entry.db.execute("DELETE FROM enrolments WHERE owner = ?", (owner,))
        if new.active_from > entry.now:
            limits.spend(entry, "new devices", {HOUR: self.rules.limits.devices_hour})
            holds.begin(entry, owner, "a new device", self.rules.hold, new.id)
        entry.note("passkey enrolled", owner, passkey=new.id.hex(), active_from=micros(new.active_from))
        return new

    def _open_challenge(self, entry: Entry, owner: str) -> bytes:
        query = "SELECT challenge FROM enrolments WHERE owner = ? AND until > ?"
        row = entry.db.execute(query, (owner, entry.micros)).fetchone()
        if row is None:
            raise ProofRefused("passkey: nobody began to enrol one, or that was too long ago; begin again")
        return bytes(row[0])

    def _active_from(self, entry: Entry, owner: str) -> datetime:
        (made,) = entry.db.execute("SELECT created_at FROM wallets WHERE owner = ?", (owner,)).fetchone()
        is_new = moment(made) + self.rules.settling_in >= entry.now
        return entry.now if is_new and passkeys.is_first(entry, owner) else entry.now + self.rules.hold

    def drop_passkey(self, entry: Entry, owner: str, credential_id: bytes, proof: PasskeyProof) -> None:
        """Ends a passkey by another one, and the hold that it had begun."""
        switch.refuse_while_stopped(entry)
        if proof.credential_id == credential_id:
            raise ProofRefused("passkey: another one must remove it; the last one stays")
        passkeys.prove(entry, self.site, _owner(owner), drop_challenge(owner, credential_id), proof)
        passkeys.drop(entry, owner, credential_id)
        holds.lift(entry, owner, credential_id)
        entry.note("passkey dropped", owner, passkey=credential_id.hex(), by=proof.credential_id.hex())

    def drop_waiting(self, entry: Entry, owner: str) -> None:
        """Ends the owner's passkeys that are not good yet; the holds that they had begun stay. It takes power from
        whoever enrolled them and gives none to who asks, so no passkey need agree.
        """
        for each in passkeys.of_owner(entry, _owner(owner)):
            if each.active_from > entry.now:
                passkeys.drop(entry, owner, each.id)
                entry.note("passkey dropped", owner, passkey=each.id.hex(), by="")

    def login(self, entry: Entry, owner: str, challenge: bytes, proof: PasskeyProof) -> Passkey:
        """The passkey that signed this challenge."""
        if len(challenge) != _CHALLENGE:
            raise ProofRefused(f"challenge: has {len(challenge)} bytes, not {_CHALLENGE}")
        return passkeys.prove(entry, self.site, _owner(owner), challenge, proof, waiting=True)

    def hold_moves(self, entry: Entry, owner: str, cause: str) -> datetime:
        """Begins a hold, or begins it anew; until when."""
        until = holds.begin(entry, _owner(owner), _text(cause, "cause"), self.rules.hold)
        entry.note("hold", owner, cause=cause, until=micros(until))
        return until

    # ------------------------------------------------------------------------------------------------ consents

    def consent(self, entry: Entry, address: str, consent: Consent, proof: PasskeyProof) -> bytes:
        """The wallet's signature, when a passkey of its owner agreed to exactly this."""
        switch.refuse_while_stopped(entry)
        digest = self.challenge(consent)
        self._check_deadline(entry, consent)
        wallet = _wallet_at(entry, address)
        passkeys.prove(entry, self.site, wallet.owner, digest, proof)
        holds.refuse_while_held(entry, wallet.owner)
        most = self.rules.limits
        limits.spend(entry, f"moves of {wallet.owner}", {HOUR: most.wallet_hour, DAY: most.wallet_day})
        limits.spend(entry, "all consents", {HOUR: most.consents_hour})
        signature = keys.sign_digest(keys.open_key(self.seal, wallet, Purpose.WALLET), digest)
        by = proof.credential_id.hex()
        entry.note("consent", address, type=type(consent).__name__, digest=digest.hex(), passkey=by)
        return signature

    def challenge(self, consent: Consent) -> bytes:
        """The EIP-712 digest of a consent. Raises `SignerRefused` for what is none."""
        if not isinstance(consent, get_args(Consent)):
            raise SignerRefused(f"{type(consent).__name__} is no consent of a holder")
        return keccak(self.domains.preimage(consent))

    def _check_deadline(self, entry: Entry, consent: Consent) -> None:
        longest = self.rules.longest_offer if isinstance(consent, Offer) else self.rules.longest
        left = consent.deadline - entry.now.timestamp()
        if left <= 0:
            raise SignerRefused("deadline: it is over; agree again")
        if left > longest.total_seconds():
            hours = int(longest.total_seconds() // 3600)
            raise SignerRefused(f"deadline: it is further away than the {hours} hours that this may stand")

    # ------------------------------------------------------------------------------------------------ entry keys

    def new_entry_key(self, entry: Entry, event_number: int) -> bytes:
        """A new key for entry leases of an event."""
        switch.refuse_while_stopped(entry)
        public, key = keys.new_entry_key(self.seal, f"event/{event_number}")
        values = (public, key.owner, key.sealed, key.version)
        entry.db.execute("INSERT INTO entry_keys VALUES (?, ?, ?, ?)", values)
        entry.note("entry key made", key.owner, key=public.hex())
        return public

    def sign_lease(self, entry: Entry, public_key: bytes, message: bytes) -> bytes:
        """That key's signature over a lease, and over nothing else."""
        switch.refuse_while_stopped(entry)
        if not message.startswith(_LEASE) or len(message) != _LEASE_BYTES:
            raise SignerRefused("message: is no entry lease (docs/tc1.md)")
        query = "SELECT owner, sealed, version FROM entry_keys WHERE public = ?"
        row = entry.db.execute(query, (public_key,)).fetchone()
        if row is None:
            raise SignerRefused(f"entry key: {public_key.hex()} is none of this installation")
        owner, sealed, version = row
        key = keys.SealedKey(owner, public_key.hex(), sealed, version)
        entry.note("lease", owner, digest=sha256(message).hexdigest())
        return keys.sign_lease(self.seal, key, message)


def _wallet_at(entry: Entry, address: str) -> keys.SealedKey:
    query = "SELECT owner, address, sealed, version FROM wallets WHERE address = ?"
    row = entry.db.execute(query, (address,)).fetchone()
    if row is None:
        raise SignerRefused(f"wallet: {address} is none of this installation")
    return keys.SealedKey(*row)


def _owner(owner: str) -> str:
    if not owner or len(owner.encode()) > _OWNER_BYTES:
        raise SignerRefused(f"owner: must have 1 to {_OWNER_BYTES} bytes")
    return owner


def _text(text: str, name: str) -> str:
    if len(text) > _TEXT:
        raise SignerRefused(f"{name}: has {len(text)} characters; {_TEXT} are enough")
    return text
