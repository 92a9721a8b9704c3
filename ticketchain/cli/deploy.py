"""`ticketchain deploy`: a ledger on a live chain."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ticketchain.cli.local import Data, one_sentence, settings_of, tell
from ticketchain.context import webhook_secrets
from ticketchain.installing import deploy_next, deploy_to


def deploy(
    rpc: Annotated[str | None, typer.Option(help="RPC URL of a node of the chain.", metavar="URL")] = None,
    data: Data = None,
    base_url: Annotated[
        str | None, typer.Option(help="Address of the service, for token URIs; it cannot change.", metavar="URL")
    ] = None,
    beside: Annotated[
        bool, typer.Option("--next", help="One more ledger beside those there are: new events go to it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put a ledger on a chain, once, appoint this installation's keys, and record it in the data folder. Done again
    with more relayers (TICKETCHAIN_RELAYERS), it appoints the new ones.

    The account that pays the gas is the admin's; `ticketchain keys addresses --rpc URL` shows it before.
    `ticketchain up --rpc URL` then serves it, and refuses a contract whose code differs from what was recorded.

    With --next, events and tickets of earlier ledgers stay there and are followed and served as before. A service that
    runs knows the new one after its next start; one with a chain of its own has to be stopped first.
    """
    settings = settings_of(rpc_url=rpc, data=data, base_url=base_url)
    with one_sentence():
        done = deploy_next(settings, tell) if beside else deploy_to(settings, tell)
        webhook_secrets(settings)  # now, so that whoever copies the folder to other machines copies one secret
    values = {
        "chain_id": done.chain_id,
        "address": done.address,
        "block": done.block,
        "code_hash": f"0x{done.code_hash.hex()}",
        "transaction": f"0x{done.tx_hash.hex()}",
    }
    if as_json:
        typer.echo(json.dumps(values))
        return
    for name, value in values.items():
        typer.echo(f"{name.replace('_', ' '):12} {value}")
