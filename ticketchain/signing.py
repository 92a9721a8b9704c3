"""Which signer a process works with: one that runs, a child of its own, or a desk in this process (for tests)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import Enum

from ticketchain.domain.errors import DomainError, Unavailable
from ticketchain.settings import Settings
from ticketchain.signer.config import Config
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.limits import Limits
from ticketchain.signer.opening import open_desk
from ticketchain.signer.passkeys import Site
from ticketchain.wallets.child import SignerChild, start
from ticketchain.wallets.remote import RemoteSigner


class Role(Enum):
    """What a process is, which decides how it comes to its signer, and to which doors."""

    WHOLE = "up"  # serves everything: a signer that runs by itself, else a child
    COMMAND = "command"  # is over soon: any signer that answers, else a child
    WORKER = "worker"  # the signer that runs
    API = "api"  # the same, by the fans' door only


class WrongSigner(DomainError):
    """The signer that answers is another installation's, or not ready for this one; the message says which."""

    code = "wrong_signer"
    status = 503


@dataclass(frozen=True)
class Signing:
    """The signer of this process, and the child that it is, if it is one."""

    signer: RemoteSigner | SigningDesk
    child: SignerChild | None = None
    operator: bool = True  # whether the operator's door is open to it

    def alive(self) -> bool:
        """False once a child has ended."""
        return self.child is None or self.child.alive()


def config_of(settings: Settings, chain_id: int, ledgers: Sequence[str]) -> Config:
    """What a signer of this installation is told."""
    return Config(
        folder=str(settings.signer.absolute()),
        master_key=str(settings.master_key.absolute()),
        key_provider=settings.key_provider,
        operator_keys=settings.operator_keys,
        chain_id=chain_id,
        site=settings.url,
        ledgers=tuple(ledgers),
        relayers=settings.relayers,
        fans_group=settings.signer_fans_group,
        operator_group=settings.signer_operator_group,
        limits=Limits(
            wallet_hour=settings.signer_wallet_hour,
            wallet_day=settings.signer_wallet_day,
            consents_hour=settings.signer_consents_hour,
            devices_hour=settings.signer_devices_hour,
            lines_hour=settings.signer_lines_hour,
        ),
    )


@contextmanager
def open_signing(settings: Settings, chain_id: int, ledgers: Sequence[str], role: Role) -> Iterator[Signing]:
    """The signer, for as long as the block lasts. Raises `Unavailable`, `WrongSigner`, `SignerNotStarted`, and in this
    process what `open_desk` raises.
    """
    config = config_of(settings, chain_id, ledgers)
    with ExitStack() as stack:
        if not settings.signer_process:
            desk = open_desk(config)
            stack.callback(desk.vault.close)
            yield Signing(desk)
            return
        remote = RemoteSigner(settings.signer, operator=role is not Role.API)
        stack.callback(remote.close)
        child = None
        if not _answers(remote, role):
            child = start(replace(config, is_child=True))
            stack.callback(child.stop)
        _check(remote, config, role)
        if ledgers and role is not Role.API:
            remote.know(ledgers)
        yield Signing(remote, child, role is not Role.API)


def _answers(remote: RemoteSigner, role: Role) -> bool:
    """Whether a signer runs that this process can rely on. Raises `Unavailable` when there must be one.

    Another process's child ends with that process, so it is no signer to serve with; the folder's lock then says so.
    """
    try:
        return not remote.about().is_child or role is not Role.WHOLE
    except Unavailable:
        if role in (Role.WHOLE, Role.COMMAND):
            return False
        raise


def _check(remote: RemoteSigner, config: Config, role: Role) -> None:
    """Raises `WrongSigner` for one of another chain, or of other pages than those that this process serves."""
    about, site = remote.about(), Site.of(config.site)
    if about.chain_id != config.chain_id:
        raise WrongSigner(f"the signer in {config.folder} signs for chain {about.chain_id}, not for {config.chain_id}")
    if role in (Role.WHOLE, Role.API) and about.origin != site.origin:
        raise WrongSigner(
            f"the signer takes passkeys of {about.origin}, this process serves {site.origin}; set TICKETCHAIN_BASE_URL "
            "to the same for both"
        )
