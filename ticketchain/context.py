"""The only place that wires parts: from settings to a running service's parts, and the ledger it works with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uuid_utils

from ticketchain.chain.deploy import (
    ADMIN,
    ATTESTOR,
    RELAYER,
    Admin,
    Deployment,
    deploy,
    grant_roles,
    verify,
    verify_earlier,
)
from ticketchain.chain.deployments import add_deployment, load_deployments
from ticketchain.chain.embedded import EmbeddedChain, LostTransaction
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.indexer import Followed, Indexer
from ticketchain.chain.limits import STANDARD, Batching, Limits
from ticketchain.chain.reader import ContractReader
from ticketchain.chain.sender import Sender
from ticketchain.chain.types import ChainError
from ticketchain.domain.errors import DomainError
from ticketchain.mail.choice import choose_mailer
from ticketchain.metadata.ipfs import IpfsStore
from ticketchain.metadata.store import ContentError, LocalStore
from ticketchain.passwords.choice import open_passwords
from ticketchain.payments.delivery import WebhookSender
from ticketchain.payments.providers import Providers, choose_providers, own_secret
from ticketchain.payments.sandbox import Sandbox
from ticketchain.payments.stripe import StripeKeys, StripeProvider
from ticketchain.people.keeper import Keeper
from ticketchain.sealing.keyring import Keyring
from ticketchain.settings import Settings
from ticketchain.signer.keys import SlowBackend, assert_fast_backend
from ticketchain.signing import Role, Signing, open_signing
from ticketchain.store import chain, events, outbox
from ticketchain.store.engine import Store, Tx
from ticketchain.store.leases import Leases, clear
from ticketchain.store.person_keys import PersonKeys
from ticketchain.usecases.aside import set_aside
from ticketchain.usecases.following import Following
from ticketchain.usecases.parts import Keep, Parts, Rules, Signer

Progress = Callable[[str], None]

# A dependency of web3 (py_ecc) raises the limit to 100,000 frames when it is imported; with that, Python 3.11 dies of a
# deeply nested JSON body instead of raising RecursionError.
sys.setrecursionlimit(1_000)


class CannotStart(DomainError):
    """Something that the service needs is missing; the message is one sentence with the fix."""

    code = "cannot_start"
    status = 503


PROBLEMS = (DomainError, ChainError, ContentError, SlowBackend)
"""All that opening or deploying can raise on purpose: the text of each is a sentence for an operator."""


@dataclass(frozen=True)
class Context:
    """A wired service."""

    settings: Settings
    parts: Parts
    gateway: Gateway
    embedded: EmbeddedChain | None
    deployments: tuple[Deployment, ...]
    sandbox: Sandbox | None
    stripe: StripeProvider | None
    senders: tuple[Sender, ...]
    indexers: tuple[Indexer, ...]
    webhooks: WebhookSender | None
    leases: Leases
    signing: Signing

    @property
    def deployment(self) -> Deployment:
        """The ledger where new events go."""
        return self.deployments[-1]

    def chain_step(self) -> bool:
        """Mines what waits on the embedded chain, and an empty block when the time of an event's closing has come."""
        if self.embedded is None:
            return False
        head = self.gateway.head()
        with self.parts.store.read() as tx:
            closing = events.closing_between(tx, head.timestamp, int(now().timestamp()))
        if closing:
            self.embedded.mine()
        return self.embedded.step()


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A new row id: prefix and a time-ordered UUID (RFC 9562, version 7)."""
    return f"{prefix}_{uuid_utils.uuid7().hex}"


@contextmanager
def open_context(
    settings: Settings, progress: Progress = lambda _: None, role: Role = Role.COMMAND
) -> Iterator[Context]:
    """Opens everything, closes it at the end. Raises `CannotStart` or the part's own error, each one clear sentence.

    `role`: what this process is for, which says where its signer is.
    """
    assert_fast_backend()
    with ExitStack() as stack:
        prepare_folder(settings.data)
        store = stack.enter_context(only_database(settings))
        embedded = stack.enter_context(_open_embedded(settings, store, progress)) if not settings.rpc_url else None
        url, depth = (embedded.url, None) if embedded else (settings.rpc_url, settings.finality_blocks)
        gateway = Gateway(url, on_demand=embedded is not None, finality_blocks=depth)
        stack.callback(gateway.close)
        people = stack.enter_context(_open_people(settings))
        deployments = load_deployments(settings.data)
        known = [each.address for each in deployments]
        signing = stack.enter_context(open_signing(settings, gateway.chain_id(), known, role))
        signer = signing.signer
        if not deployments:
            if embedded is None:
                raise CannotStart(f"no ledger is deployed on {gateway.url} yet; run `ticketchain deploy --rpc URL`")
            deployments = (deploy_ledger(settings, gateway, signer, progress, mine=embedded.step),)
            embedded.snapshot()  # first durable on the chain, then known to us
            add_deployment(settings.data, deployments[-1])
            signer.know([each.address for each in deployments])
        verify(gateway, deployments[-1])
        for deployment in deployments:
            verify_earlier(gateway, deployment)
            if embedded is not None:
                appoint(gateway, deployment, signer, progress, mine=embedded.step)
        yield _wire(settings, store, gateway, embedded, deployments, signing, people)


@contextmanager
def open_store(settings: Settings, with_providers: bool = False) -> Iterator[Parts]:
    """Only the database, and the payment providers if wanted, for commands that need no chain (API keys, books)."""
    prepare_folder(settings.data)
    nothing: Any = None
    with only_database(settings) as store, _open_people(settings) as people:
        providers = _providers(settings, store, not settings.rpc_url).by_name if with_providers else {}
        log = structlog.get_logger()
        yield Parts(store, now, new_id, nothing, nothing, nothing, providers, people, nothing, nothing, log)


@contextmanager
def only_database(settings: Settings) -> Iterator[Store]:
    """The database, of this version's form, closed at the end. Raises what `Store` raises."""
    store = Store(settings.database)
    try:
        store.migrate()
        yield store
    finally:
        store.close()


@contextmanager
def _open_people(settings: Settings) -> Iterator[Keeper]:
    """The keeper of personal data, with its own database and wrapping key, both in a folder of their own."""
    provider = Keyring(settings.data / "people" / "master.key", settings.people_key)
    keeper = Keeper(PersonKeys(settings.people, now), provider)
    try:
        yield keeper
    finally:
        keeper.close()


def prepare_folder(folder: Path) -> None:
    """Makes the data folder and tries to write in it. Raises `CannotStart` when that fails (no rights, disk full)."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(os.urandom(1 << 16))
        probe.unlink()
    except OSError as error:
        raise CannotStart(f"the data folder {folder} cannot be written: {error.strerror}; free or change it") from error


@contextmanager
def _open_embedded(settings: Settings, store: Store, progress: Progress) -> Iterator[EmbeddedChain]:
    chain_ = EmbeddedChain(
        settings.data, anvil_path=settings.anvil, port=settings.chain_port, chain_id=settings.chain_id
    )
    with chain_:
        with store.read() as tx:
            rows = outbox.mined_after(tx, chain_.finalized())
        lost = [LostTransaction(r.raw, r.block_number, r.timestamp, r.tx_index) for r in rows]
        if lost:
            progress(f"sending {len(lost)} transactions again that were not in the last snapshot")
            chain_.heal(lost)
        yield chain_


def deploy_ledger(
    settings: Settings,
    gateway: Gateway,
    signer: Signer,
    progress: Progress = lambda _: None,
    mine: Callable[[], object] | None = None,
    number: int = 0,
) -> Deployment:
    """Deploys a ledger and appoints the relayer and the attestor; the caller records it in the data folder.

    `number` is the one it will have here. Its tokens' URIs are the service's: the ledger itself puts its own ids there.
    """
    admin = Admin(signer.admin, signer.deploy_transaction)
    base_uri = f"{settings.url}/v1/tickets/" + (f"{number}-" if number else "")
    deployment = deploy(gateway, admin, admin.address, base_uri, progress=progress, mine=mine)
    appoint(gateway, deployment, signer, progress, mine)
    return deployment


def appoint(
    gateway: Gateway,
    deployment: Deployment,
    signer: Signer,
    progress: Progress = lambda _: None,
    mine: Callable[[], object] | None = None,
) -> None:
    """Gives relayers, attestor and admin their roles on the ledger, as far as they lack them; takes those of keys that
    were replaced.
    """
    admin = Admin(signer.admin, signer.deploy_transaction)
    grants = dict.fromkeys(signer.relayers, RELAYER) | {signer.attestor: ATTESTOR, signer.admin: ADMIN}
    grants |= dict.fromkeys(signer.retired, 0)
    grant_roles(gateway, deployment.address, admin, grants, progress=progress, mine=mine)


def _wire(
    settings: Settings,
    store: Store,
    gateway: Gateway,
    embedded: EmbeddedChain | None,
    deployments: tuple[Deployment, ...],
    signing: Signing,
    people: Keeper,
) -> Context:
    chain_id, addresses = deployments[-1].chain_id, [deployment.address for deployment in deployments]
    gateway.ledger = addresses[-1]
    with store.set_up() as tx:
        _know_ledgers(tx, deployments, settings.data)
        if embedded is not None:  # the folder is locked, so nobody else works: do not wait for those who died
            clear(tx)
    providers = _providers(settings, store, with_sandbox=embedded is not None)
    parts = Parts(
        store=store,
        clock=now,
        new_id=new_id,
        signer=signing.signer,
        ledger=ContractReader(gateway, addresses, chain_id),
        contents=IpfsStore(settings.ipfs) if settings.ipfs else LocalStore(settings.data / "metadata"),
        providers=providers.by_name,
        people=people,
        passwords=open_passwords(settings.breached_passwords, settings.password_hashes),
        mailer=choose_mailer(settings.smtp_url.get_secret_value(), settings.data / "mail", settings.sender, now),
        log=structlog.get_logger(),
        rules=Rules(
            hold=settings.hold,
            payment=settings.payment,
            max_held=settings.hold_seats,
            anchor_every=settings.anchor_every,
            keep=Keep(**settings.keep),
        ),
        url=settings.origin,
        rp_id=settings.rp_id,
    )
    return Context(
        settings=settings,
        parts=parts,
        gateway=gateway,
        embedded=embedded,
        deployments=deployments,
        sandbox=providers.sandbox,
        stripe=providers.stripe,
        senders=_senders(settings, parts, gateway, addresses, signing.signer) if signing.operator else (),
        indexers=tuple(_indexers(parts, gateway, embedded, deployments)),
        webhooks=providers.webhooks,
        leases=Leases(store, new_id("wrk")),
        signing=signing,
    )


def _know_ledgers(tx: Tx, deployments: Sequence[Deployment], folder: Path) -> None:
    """Registers ledgers that are new. Raises `CannotStart` when database and data folder do not belong together."""
    known = [row.address for row in chain.ledgers(tx)]
    if known[: len(deployments)] != [each.address for each in deployments][: len(known)]:
        raise CannotStart(
            f"the database follows {known[-1]}, which {folder} does not name; use the folder it came with"
        )
    if len(known) > len(deployments):
        raise CannotStart(f"the database follows {len(known)} ledgers, {folder} names fewer; copy its deployment files")
    for number, each in list(enumerate(deployments))[len(known) :]:
        chain.add_ledger(tx, number, each.address, each.chain_id, each.block - 1)


def _senders(
    settings: Settings, parts: Parts, gateway: Gateway, ledgers: Sequence[str], signer: Signer
) -> tuple[Sender, ...]:
    batching = Batching(settings.batch_lines, settings.batch_gas, timedelta(milliseconds=settings.batch_age_ms))
    limits = Limits(
        batching=batching,
        bump_after=timedelta(seconds=settings.bump_after_s),
        max_fee=settings.max_fee_gwei * 10**9,
        refused_for=STANDARD.refused_for if settings.rpc_url else timedelta(0),  # the embedded chain is one node
    )
    aside = partial(set_aside, parts)
    return tuple(
        Sender(parts.store, gateway, ledger, signer, address, aside, parts.clock, parts.log, limits, number)
        for number, ledger in enumerate(ledgers)
        for address in signer.relayers
    )


def _indexers(
    parts: Parts, gateway: Gateway, embedded: EmbeddedChain | None, deployments: Sequence[Deployment]
) -> Iterator[Indexer]:
    """One for each ledger, earlier ones too: their tickets are as good as ever."""
    finalized = embedded.finalized if embedded else gateway.finalized
    safe = embedded.finalized if embedded else gateway.safe
    for number, each in enumerate(deployments):
        theirs = gateway if each.address == gateway.ledger else gateway.beside(each.address)
        yield Indexer(parts.store, theirs, Following(parts), Followed(number, each.block, finalized, safe))


def webhook_secrets(settings: Settings) -> list[str]:
    """Secrets of the payment webhooks: from the settings, or one of our own in a file of the data folder."""
    if settings.webhook_secrets:
        return [secret.get_secret_value() for secret in settings.webhook_secrets]
    return [own_secret(settings.data / "keys" / "webhook.secret")]


def _providers(settings: Settings, store: Store, with_sandbox: bool) -> Providers:
    """`with_sandbox`: unless settings say otherwise, or there is Stripe. Raises `CannotStart` when nobody could pay."""
    keys = None
    if key := settings.stripe_key.get_secret_value():
        hooks = [secret.get_secret_value() for secret in settings.stripe_webhook_secrets]
        keys = StripeKeys(key, settings.stripe_publishable_key, hooks, settings.stripe_api_base)
    wanted = with_sandbox and keys is None if settings.sandbox_payments is None else settings.sandbox_payments
    if keys is None and not wanted:
        raise CannotStart(
            "nobody could pay: set TICKETCHAIN_STRIPE_KEY, _STRIPE_PUBLISHABLE_KEY and _STRIPE_WEBHOOK_SECRETS, or "
            "TICKETCHAIN_SANDBOX_PAYMENTS=true if tickets of this ledger shall be had for nothing"
        )
    return choose_providers(store, now, new_id, settings.url, webhook_secrets(settings), wanted, keys)
