"""What is done to an installation by hand, beside the processes that serve it: ledgers, addresses, lost nonces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ticketchain.chain.deploy import Deployment, load_deployment, verify, verify_earlier
from ticketchain.chain.deployments import add_deployment, load_deployments
from ticketchain.chain.fees import FREE
from ticketchain.chain.filler import fill
from ticketchain.chain.gateway import Gateway
from ticketchain.context import (
    CannotStart,
    Progress,
    appoint,
    deploy_ledger,
    now,
    only_database,
    open_context,
    prepare_folder,
)
from ticketchain.settings import Settings
from ticketchain.signer.config import Config
from ticketchain.signing import Role, config_of, open_signing
from ticketchain.usecases.parts import Signer


def operator_addresses(settings: Settings) -> dict[str, str]:
    """Addresses of relayers, attestor and admin; their keys are made, sealed for the chain, if there are none."""
    prepare_folder(settings.data)
    with _open_signer(settings, chain_of(settings), load_deployments(settings.data)) as signer:
        relayers = {f"relayer-{n}" if n else "relayer": address for n, address in enumerate(signer.relayers)}
        return relayers | {"attestor": signer.attestor, "admin": signer.admin}


def deploy_to(settings: Settings, progress: Progress = lambda _: None) -> Deployment:
    """`ticketchain deploy`: a ledger on the chain of `settings.rpc_url`; where there is one already, only roles that
    its keys lack (after `relayers` was raised). Raises `ForeignLedger` when it is another chain's.
    """
    if not settings.rpc_url:
        raise CannotStart("the chain's node is missing; say --rpc URL (a chain of its own gets its ledger from `up`)")
    prepare_folder(settings.data)
    gateway = Gateway(settings.rpc_url)
    known = load_deployments(settings.data)
    with _open_signer(settings, gateway.chain_id(), known) as signer:
        for each in known:
            verify_earlier(gateway, each)
            appoint(gateway, each, signer, progress)
        if known:
            verify(gateway, known[-1])
            return known[-1]
        deployment = deploy_ledger(settings, gateway, signer, progress)
        add_deployment(settings.data, deployment)
        return deployment


def deploy_next(settings: Settings, progress: Progress = lambda _: None) -> Deployment:
    """`ticketchain deploy --next`: one more ledger on the same chain, where new events go from the next start on."""
    with open_context(settings, progress) as context:
        signer, number = context.parts.signer, len(context.deployments)
        mine = context.embedded.step if context.embedded else None
        deployment = deploy_ledger(settings, context.gateway, signer, progress, mine, number)
        if context.embedded is not None:
            context.embedded.snapshot()
        add_deployment(settings.data, deployment)
        return deployment


def fill_nonce(settings: Settings, address: str, nonce: int) -> dict[str, Any]:
    """`ticketchain outbox fill`: a filler for a nonce of one of our relayers, stored for the sender to send."""
    deployment = load_deployment(settings.data / "deployment.json")
    if deployment is None:
        raise CannotStart(f"{settings.data} has no ledger, so nothing was ever sent from here; set --data")
    with only_database(settings) as store, _open_signer(settings, deployment.chain_id, [deployment]) as signer:
        if address not in signer.relayers:
            raise CannotStart(f"{address} is no relayer of this installation; `ticketchain keys addresses` shows them")
        node = Gateway(settings.rpc_url) if settings.rpc_url else None  # an embedded chain is another process's
        mined, suggested = (node.nonce(address), node.fees()) if node else (0, FREE)
        cap = settings.max_fee_gwei * 10**9
        return fill(store, signer, address, nonce, mined=mined, suggested=suggested, cap=cap, now=now())


def chain_of(settings: Settings) -> int:
    """Id of the installation's chain: its ledger's, else the node's, else the embedded chain's (EIP-155)."""
    if deployments := load_deployments(settings.data):
        return deployments[-1].chain_id
    return Gateway(settings.rpc_url).chain_id() if settings.rpc_url else settings.chain_id


def signer_config(settings: Settings, as_json: bool) -> Config:
    """What `ticketchain signer run` is told. Raises `ChainError` when a chain without a ledger does not answer."""
    prepare_folder(settings.signer)
    known = [each.address for each in load_deployments(settings.data)]
    return replace(config_of(settings, chain_of(settings), known), as_json=as_json)


@contextmanager
def _open_signer(settings: Settings, chain_id: int, deployments: Sequence[Deployment]) -> Iterator[Signer]:
    """The signer, for a command. Raises what `open_signing` raises."""
    with open_signing(settings, chain_id, [each.address for each in deployments], Role.COMMAND) as signing:
        yield signing.signer
