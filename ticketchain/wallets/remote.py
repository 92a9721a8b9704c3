"""The signer's client: the `Signer` port over the signer's two sockets, for any number of threads.

A connection serves one thread at a time; idle ones are kept. Whatever is asked may be asked again: wallets are the
same, signatures deterministic (RFC 6979), and the desk knows a proof that comes twice for the same. So what a broken
connection left open is asked once more on a new one; after that, and when the time is over, it is `Unavailable`.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from ticketchain.domain.consents import Attestation, Consent
from ticketchain.domain.errors import SignerRefused, Unavailable
from ticketchain.domain.ports import SignedTransaction, TransactionFields, UnsignedTransaction
from ticketchain.domain.proofs import LogEntry, LogHead, Passkey, PasskeyProof, Registration, Standing
from ticketchain.signer import wire
from ticketchain.signer.codec import Garbage
from ticketchain.signer.paths import short

TIMEOUT_S = 10.0
"""How long an answer may take; one takes a few milliseconds."""

MOST_IDLE = 32
"""Connections that are kept for later at a door."""

_CHUNK = 1 << 16


class Connection:
    """One connection to a door; what is sent first is answered first."""

    def __init__(self, path: Path, timeout: float) -> None:
        """Connects. Raises `OSError`."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._calls = wire.CALLS[path.name]
        self._numbers, self._frames = count(), wire.Frames(wire.MAX_ANSWER)
        self._answers = iter(())
        try:
            self._socket.settimeout(timeout)
            with short(path) as name:
                self._socket.connect(name)
        except OSError:
            self._socket.close()
            raise

    def ask(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Asks, waits for the answer. Raises the `DomainError` answered; `OSError`, `Garbage` when it broke."""
        number = self.send(name, arguments)
        return self.read(number, name)

    def send(self, name: str, arguments: Mapping[str, Any]) -> int:
        """Asks without waiting; the request's number. Raises `OSError`, `Invalid`."""
        number = next(self._numbers)
        self._socket.sendall(wire.request(number, name, arguments))
        return number

    def read(self, number: int, name: str) -> Any:
        """The answer to a request; they are to be read in the order in which they were sent. Raises as `ask` does."""
        value = self._next()
        if wire.read_id(value) != number:
            raise Garbage("an answer is to another request")
        return wire.read_answer(value, self._calls[name])

    def _next(self) -> dict[str, Any]:
        while True:
            for value in self._frames:
                return value
            received = self._socket.recv(_CHUNK)
            if not received:
                raise ConnectionResetError("the signer ended the connection")
            self._frames.feed(received)

    def close(self) -> None:
        """Ends it."""
        self._socket.close()


class DoorClient:
    """Connections to one door. Raises `Unavailable` when nobody answers there."""

    def __init__(self, path: Path, timeout: float = TIMEOUT_S) -> None:
        self._path, self._timeout = path, timeout
        self._lock, self._idle, self._closed = Lock(), list[Connection](), False

    def ask(self, name: str, **arguments: Any) -> Any:
        """The answer to a call of this door. Raises the `DomainError` that was answered, and `Unavailable`."""
        try:
            kept = self._take()
            if kept is not None:
                try:
                    return self._ask_on(kept, name, arguments)
                except (ConnectionError, Garbage):
                    pass  # the signer was started anew while it was idle: once more
            return self._ask_on(Connection(self._path, self._timeout), name, arguments)
        except TimeoutError:
            raise Unavailable(
                f"the signer at {self._path} has not answered within {self._timeout:.0f} s; look at its log, or start "
                "it again: nothing is lost"
            ) from None
        except Garbage as error:
            raise Unavailable(f"the signer at {self._path} is of another version: {error}") from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unavailable(f"no signer answers at {self._path}: {reason}; start `ticketchain signer run`") from None

    def _ask_on(self, connection: Connection, name: str, arguments: Mapping[str, Any]) -> Any:
        """Asks there, and keeps the connection unless it broke."""
        try:
            answer = connection.ask(name, arguments)
        except (OSError, Garbage):
            connection.close()
            raise
        except Exception:
            self._keep(connection)
            raise
        self._keep(connection)
        return answer

    def _take(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Ends all connections; those in use when they are given back."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for connection in idle:
            connection.close()


class RemoteSigner:
    """The signer at the sockets of a folder. Every call raises what the desk answers, or `Unavailable`.

    `operator=False`: a process, such as an API, that is to use the fans' door only.
    """

    def __init__(self, folder: Path, operator: bool = True, timeout: float = TIMEOUT_S) -> None:
        self._fans = DoorClient(folder / wire.FANS, timeout)
        self._operator = DoorClient(folder / wire.OPERATOR, timeout) if operator else None

    def close(self) -> None:
        """Ends all connections."""
        for door in (self._fans, self._operator):
            if door is not None:
                door.close()

    def about(self) -> wire.About:
        """For which chain and which pages it signs."""
        about: wire.About = self._fans.ask("about")
        return about

    # -------------------------------------------------------------------------------------------- the fans' door

    def wallet(self, owner: str) -> str:
        """Address (EIP-55) of the owner's wallet."""
        return str(self._fans.ask("wallet", owner=owner))

    def standing(self, owner: str) -> Standing:
        """The owner's passkeys and holds."""
        standing: Standing = self._fans.ask("standing", owner=owner)
        return standing

    def begin_enrolment(self, owner: str) -> bytes:
        """Challenge for a new passkey."""
        return bytes(self._fans.ask("begin_enrolment", owner=owner))

    def enrol(self, owner: str, registration: Registration, label: str) -> Passkey:
        """Adds a passkey."""
        passkey: Passkey = self._fans.ask("enrol", owner=owner, registration=registration, label=label)
        return passkey

    def drop_passkey(self, owner: str, credential_id: bytes, proof: PasskeyProof) -> None:
        """Removes a passkey by another one."""
        self._fans.ask("drop_passkey", owner=owner, credential_id=credential_id, proof=proof)

    def drop_waiting(self, owner: str) -> None:
        """Removes passkeys of an owner that are not good yet; the holds that they had begun stay."""
        self._fans.ask("drop_waiting", owner=owner)

    def hold_moves(self, owner: str, cause: str) -> datetime:
        """Holds all outgoing moves of an owner; until when."""
        until: datetime = self._fans.ask("hold_moves", owner=owner, cause=cause)
        return until

    def login(self, owner: str, challenge: bytes, proof: PasskeyProof) -> Passkey:
        """The passkey of the owner that signed this challenge."""
        passkey: Passkey = self._fans.ask("login", owner=owner, challenge=challenge, proof=proof)
        return passkey

    def challenge(self, consent: Consent) -> bytes:
        """The EIP-712 digest of a consent (32 bytes)."""
        return bytes(self._fans.ask("challenge", consent=consent))

    def consent(self, address: str, consent: Consent, proof: PasskeyProof) -> bytes:
        """The custodial wallet's EIP-712 signature (65 bytes)."""
        return bytes(self._fans.ask("consent", address=address, consent=consent, proof=proof))

    def new_entry_key(self, event_number: int) -> bytes:
        """Public key (32 bytes) of a new entry key."""
        return bytes(self._fans.ask("new_entry_key", event_number=event_number))

    def sign_lease(self, public_key: bytes, message: bytes) -> bytes:
        """An entry key's signature over a lease message (64 bytes)."""
        return bytes(self._fans.ask("sign_lease", public_key=public_key, message=message))

    def log_head(self) -> LogHead:
        """The newest row of the signer's log."""
        head: LogHead = self._fans.ask("log_head")
        return head

    # -------------------------------------------------------------------------------------------- the operator's door

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's EIP-712 signature (65 bytes)."""
        return bytes(self._ask_operator("attest", attestation=attestation))

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """A relayer's signature over a call to the ledger."""
        signed: SignedTransaction = self._ask_operator("transaction", transaction=transaction)
        return signed

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> SignedTransaction:
        """A relayer's transaction to itself that does nothing."""
        fees = {"signer": signer, "nonce": nonce, "max_fee": max_fee, "priority_fee": priority_fee}
        signed: SignedTransaction = self._ask_operator("filler", **fees)
        return signed

    def anchor(self, signer: str, nonce: int, max_fee: int, priority_fee: int, data: bytes) -> SignedTransaction:
        """A relayer's transaction to itself that carries heads of logs."""
        fees = {"signer": signer, "nonce": nonce, "max_fee": max_fee, "priority_fee": priority_fee}
        signed: SignedTransaction = self._ask_operator("anchor", **fees, data=data)
        return signed

    def deploy_transaction(self, fields: TransactionFields) -> SignedTransaction:
        """The admin's signature over a creation of a contract of ours, or over a change of roles."""
        signed: SignedTransaction = self._ask_operator("deploy_transaction", fields=fields)
        return signed

    def know(self, ledgers: Sequence[str]) -> None:
        """All ledgers by number, after one was added. Raises `SignerRefused` for one that the admin did not deploy."""
        self._ask_operator("know", ledgers=ledgers)

    def check_log(self, published: LogHead) -> bool:
        """Whether the signer's log still has a row that was published."""
        return bool(self._ask_operator("check_log", published=published))

    def log_entries(self, after: int, limit: int) -> Sequence[LogEntry]:
        """Rows of the signer's log after this number."""
        rows: Sequence[LogEntry] = self._ask_operator("log_entries", after=after, limit=limit)
        return rows

    @property
    def relayer(self) -> str:
        """The first of the relayers."""
        return self.relayers[0]

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions."""
        return self._addresses.relayers

    @property
    def attestor(self) -> str:
        """Address that attests payments."""
        return self._addresses.attestor

    @property
    def admin(self) -> str:
        """Address that deploys ledgers and gives roles."""
        return self._addresses.admin

    @property
    def retired(self) -> tuple[str, ...]:
        """Addresses that shall have no role any more, since their keys were replaced."""
        return self._addresses.retired

    @cached_property
    def _addresses(self) -> wire.Addresses:
        addresses: wire.Addresses = self._ask_operator("addresses")
        return addresses

    def _ask_operator(self, name: str, **arguments: Any) -> Any:
        if self._operator is None:
            raise SignerRefused(f"{name}: this process has the fans' door of the signer only")
        return self._operator.ask(name, **arguments)
