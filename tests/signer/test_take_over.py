"""Mallory has taken over the API process: its settings, its database with every right, the fans' door of the signer.
She tries what she can think of to get a fan's ticket, on a real ledger with a worker behind it, and gets none.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from json import dumps, loads
from pathlib import Path

import pytest

from tests.service.people import Event, Fan, request, settle_finally
from tests.signer.world import assertion, registration
from tests.support.databases import ENGINES, fresh_database
from tests.support.signers import connected, message, raw
from ticketchain.chain.abi import decode_result, encode_call
from ticketchain.context import Context, now, open_context
from ticketchain.demo.passkey import SoftPasskey
from ticketchain.domain import intents
from ticketchain.domain.consents import Consent, Gift, Offer
from ticketchain.domain.errors import DomainError
from ticketchain.domain.proofs import PasskeyProof
from ticketchain.domain.tickets import event_of
from ticketchain.settings import Settings
from ticketchain.signer import wire
from ticketchain.signer.codec import write
from ticketchain.signing import config_of
from ticketchain.store.engine import Tx
from ticketchain.usecases import pass_on
from ticketchain.usecases.common import intend
from ticketchain.usecases.parts import FanSigner, Parts
from ticketchain.worker import steps

CARELESS = "from ticketchain.signer import passkeys; passkeys.check_assertion = lambda *_: 0"
"""The control: a signer that looks at no assertion."""


@dataclass
class Mallory:
    """What she has: `parts` are the API's own, with the fans' door only; `seen` passed through her hands, honestly."""

    parts: Parts
    anna: Fan
    account: Fan  # her own, an honest one like everybody's
    door: Path
    ticket: int
    epoch: int
    seen: PasskeyProof
    old: bytes
    device: SoftPasskey
    got: set[str] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)

    @property
    def signer(self) -> FanSigner:
        return self.parts.signer

    def gift(self, **by: float) -> Gift:
        until = now() + (timedelta(**by) if by else timedelta(minutes=30))
        return Gift(self.ticket, self.epoch, self.account.address, True, int(until.timestamp()))

    def ask(self, name: str, address: str, consent: Consent, proof: PasskeyProof) -> None:
        """Asks for a signature; with one she sends the ticket on its way, past all that the API checks."""
        with suppress(DomainError):
            signature = self.signer.consent(address, consent, proof)
            self.got.add(name)
            assert isinstance(consent, Gift)
            self.send(
                name, intents.Give(consent.id, consent.epoch, consent.to, True, consent.deadline, signature.hex())
            )

    def send(self, name: str, intent: intents.Intent) -> None:
        """Something for the worker to send, which it finds in its own database."""
        self.sent.append(f"{intent.kind}:{name}")
        with self.parts.store.begin() as tx:
            intend(self.parts, tx, event_of(self.ticket), f"{name}:0", intent)

    def write(self, sql: str, *values: str) -> None:
        """Writes in the database what she likes."""

        def change(tx: Tx) -> None:
            mark = "?" if tx.dialect.name == "sqlite" else "%s"
            tx.exec_driver_sql(sql.replace("?", mark), values)

        self.parts.store.retry(change)


# ------------------------------------------------------------------------------------------------ at the signer's door


def a_device_of_her_own(m: Mallory) -> None:
    challenge = m.signer.begin_enrolment(m.anna.id)
    m.signer.enrol(m.anna.id, registration(m.device, challenge), "Anna's new phone")
    m.ask("own device", m.anna.address, m.gift(), assertion(m.device, m.signer.challenge(m.gift())))


def a_shorter_hold(m: Mallory) -> None:
    """That device began a hold, which also Anna's own consents wait for; nothing makes it end sooner."""
    before = m.signer.standing(m.anna.id).held_until
    for cause in ("a new device", "nothing", "a changed mail address"):
        m.signer.hold_moves(m.anna.id, cause)
    with suppress(DomainError):
        m.signer.drop_passkey(m.anna.id, m.device.id, assertion(m.device, b"\0" * 32))
    after = m.signer.standing(m.anna.id).held_until
    assert before is not None and after is not None and after >= before
    m.ask("shorter hold", m.anna.address, m.gift(), assertion(m.device, m.signer.challenge(m.gift())))


def a_forged_assertion(m: Mallory) -> None:
    forger = replace(m.device, id=m.anna.passkey.id)
    m.ask("forged", m.anna.address, m.gift(), assertion(forger, m.signer.challenge(m.gift())))


def an_assertion_for_something_else(m: Mallory) -> None:
    """Anna agreed to give another ticket to a friend; the proof went through the API."""
    wanted = m.signer.challenge(m.gift())
    m.ask("replayed", m.anna.address, m.gift(), m.seen)
    said = loads(m.seen.client_data_json)
    renamed = dumps(said | {"challenge": loads(assertion(m.device, wanted).client_data_json)["challenge"]}).encode()
    m.ask("renamed", m.anna.address, m.gift(), replace(m.seen, client_data_json=renamed))
    m.ask("her passkey, Anna's name", m.anna.address, m.gift(), assertion(m.account.passkey, wanted))


def another_time(m: Mallory) -> None:
    for by in (-1, 48, 24 * 365):
        gift = m.gift(hours=by)
        m.ask(f"in {by} hours", m.anna.address, gift, assertion(m.device, m.signer.challenge(gift)))


def calls_of_the_operator(m: Mallory) -> None:
    calls = [*(wire.CALLS[wire.OPERATOR].keys() - wire.CALLS[wire.FANS].keys()), "handle_all", "stop", "resume"]
    answers = raw(m.door, [message(number, {"do": call, "with": {}}) for number, call in enumerate(calls)])
    assert [answer["error"]["code"] for answer in answers] == ["bad_request"] * len(calls)


# ------------------------------------------------------------------------------------------------ in the database


def wallets_swapped(m: Mallory) -> None:
    """Her account has Anna's wallet now, as far as the database knows."""
    hers, annas = m.account.address, m.anna.address
    m.write("UPDATE fans SET address = NULL WHERE id = ?", m.anna.id)
    m.write("UPDATE fans SET address = ? WHERE id = ?", annas, m.account.id)
    with suppress(DomainError):
        m.account.give(m.ticket, m.account)
    m.ask("swapped", annas, m.gift(), assertion(m.account.passkey, m.signer.challenge(m.gift())))
    m.write("UPDATE fans SET address = ? WHERE id = ?", hers, m.account.id)
    m.write("UPDATE fans SET address = ? WHERE id = ?", annas, m.anna.id)


def the_ticket_is_hers_as_far_as_the_database_knows(m: Mallory) -> None:
    """Her own wallet agrees, which it may; only the ledger knows that it is not the holder's."""
    m.write("UPDATE tickets SET holder = ? WHERE holder = ?", m.account.address, m.anna.address)
    gift = m.gift()
    m.ask("own wallet", m.account.address, gift, assertion(m.account.passkey, m.signer.challenge(gift)))
    with suppress(DomainError):
        m.account.give(m.ticket, m.anna)
    m.write("UPDATE tickets SET holder = ? WHERE holder = ?", m.anna.address, m.account.address)


def intents_without_consent(m: Mallory) -> None:
    """The worker signs as relayer for whatever its database tells it."""
    deadline, to = m.gift().deadline, m.account.address
    offer = Offer(m.ticket, m.epoch, 1, "EUR", deadline)
    own = assertion(m.account.passkey, m.signer.challenge(offer))
    hers = m.signer.consent(m.account.address, offer, own).hex()
    for name, consent in (("nothing", "00" * 65), ("old", m.old.hex()), ("her own", hers)):
        m.send(name, intents.Give(m.ticket, m.epoch, to, True, deadline, consent))
        m.send(name, intents.Withdraw(m.ticket, m.epoch, to, deadline, consent))


def sales_of_it(m: Mallory) -> None:
    """The worker attests payments for whatever its database tells it; nobody there knows orders of that name."""
    deadline, to, reference = m.gift().deadline, m.account.address, "77" * 16
    for name, consent in (("nothing", "00" * 65), ("old", m.old.hex())):
        m.send(name, intents.Settle(m.ticket, m.epoch, to, True, 1, reference, deadline, consent))
    m.send("again", intents.Deliver(m.ticket, m.epoch, to, True, 1, reference))


def a_lease_for_her_phone(m: Mallory) -> None:
    with suppress(DomainError):
        m.account.lease(m.ticket)


ATTACKS: list[Callable[[Mallory], None]] = [
    a_forged_assertion,
    an_assertion_for_something_else,
    wallets_swapped,
    the_ticket_is_hers_as_far_as_the_database_knows,
    intents_without_consent,
    a_lease_for_her_phone,
    calls_of_the_operator,
    a_device_of_her_own,
    a_shorter_hold,
    another_time,
    sales_of_it,
]


# ------------------------------------------------------------------------------------------------ the house


@contextmanager
def house(folder: Path, engine: str, broken: str) -> Iterator[Context]:
    """A service with its signer in a process of its own; a program that breaks the signer may be put before it."""
    database = fresh_database(engine, folder)
    settings = Settings(data=folder / "data", database_url=database, port=1, batch_age_ms=0, signer_process=True)
    config = replace(config_of(settings, settings.chain_id, ()), is_child=True)
    program = f"import sys; {broken}; from ticketchain.signer.__main__ import main; main(['', sys.argv[1]])"
    words = [sys.executable, "-c", program, dumps(write(config))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as signer:
        assert signer.stdout is not None and signer.stdout.readline() == b"ready\n"
        with open_context(settings) as context:
            yield context
        assert signer.stdin is not None
        signer.stdin.close()


def send_all(context: Context, mallory: Mallory) -> dict[str, int]:
    """What the worker makes of all intents of hers; how many consents of hers ended how."""
    for _ in range(60):
        for name, loop in steps(context).items():
            for step in loop if name != "webhooks" else ():
                with suppress(Exception):  # as in a worker: the next step goes on
                    step()
        with context.parts.store.read() as tx:
            rows = tx.exec_driver_sql("SELECT key, state FROM outbox").all()
        told = {row.key.removesuffix(":0"): str(row.state) for row in rows}
        states = Counter(told[each] for each in mallory.sent if each.startswith(("gift", "withdraw")))
        if not states.keys() & {"pending", "claimed", "sent"}:
            break
    return states


def holder_of(context: Context, ticket: int) -> str:
    """Whose it is, says the ledger."""
    answer = context.gateway.call(context.deployment.address, encode_call("holderOf", ticket))
    return str(decode_result("holderOf", answer))


def honest_evening(context: Context) -> tuple[Fan, Fan, int, PasskeyProof, bytes]:
    """Anna and Mallory hold tickets; Anna gives one to a friend."""
    event, anna, mallory, bela = Event.open(context, rows=1), Fan(context), Fan(context), Fan(context)
    ticket, other = anna.buy(event, 2)
    mallory.buy(event)
    settle_finally(context)
    seen: list[PasskeyProof] = []
    prove = anna.proof

    def proof(challenge: str) -> PasskeyProof:
        seen.append(prove(challenge))
        return seen[-1]

    anna.proof = proof  # type: ignore[method-assign]
    anna.agree(partial(pass_on.give, context.parts, request(anna.who), other, bela.id))
    settle_finally(context)
    assert holder_of(context, other) == bela.address
    with context.parts.store.read() as tx:
        payload = tx.exec_driver_sql("SELECT payload FROM outbox WHERE kind = 'gift'").scalar_one()
    told = loads(payload) if isinstance(payload, str) else payload
    return anna, mallory, ticket, seen[0], bytes.fromhex(told["consent"])


@pytest.mark.parametrize(
    ("engine", "broken"), [*((engine, "pass") for engine in ENGINES), ("sqlite", CARELESS)], ids=[*ENGINES, "careless"]
)
def test_who_took_over_the_api_and_its_database_moves_no_ticket(engine: str, broken: str, tmp_path: Path) -> None:
    with house(tmp_path, engine, broken) as context:
        anna, account, ticket, seen, old = honest_evening(context)
        place = config_of(context.settings, context.settings.chain_id, ())
        with connected(place, operator=False) as door:
            parts, device = (
                replace(context.parts, signer=door),
                SoftPasskey.at(context.settings.url, context.parts.rp_id),
            )
            with parts.store.read() as tx:
                epoch = tx.exec_driver_sql(f"SELECT epoch FROM tickets WHERE id = {ticket}").scalar_one()
            at = context.settings.signer / wire.FANS
            mallory = Mallory(parts, anna, account, at, ticket, epoch, seen, old, device)
            for attack in ATTACKS:
                attack(mallory)
        states = send_all(context, mallory)
        taken = holder_of(context, ticket) == account.address
    if broken == CARELESS:
        assert taken and {"forged", "renamed"} <= mallory.got, "the same attacks find a signer that does not look"
    else:
        assert not taken and mallory.got == {"own wallet"}
        assert states.keys() == {"refused"}, "the ledger has judged each of them"
