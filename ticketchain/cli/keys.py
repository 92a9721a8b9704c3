"""`ticketchain keys`: the operator's API keys and the installation's addresses, straight from the data folder.

They work while `ticketchain up` runs. An organizer's and a fan's keys are made through the API.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ticketchain.cli.local import Data, Rpc, one_sentence, settings_of, tell
from ticketchain.context import open_store
from ticketchain.installing import operator_addresses
from ticketchain.usecases import keys as use_cases

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def keys() -> None:
    """API keys and addresses of the installation's operator; works on the data folder, also while it serves."""


@app.command()
def operator(
    data: Data = None,
    label: Annotated[str, typer.Option(help="What the key is for, to tell it from others.")] = "operator",
) -> None:
    """Make an operator's API key (it registers organizers) and print it, this once."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        key = use_cases.create_operator_key(parts, label)
    tell(f"key {key['id']}; only its hash is stored, so keep this:")
    typer.echo(key["api_key"])


@app.command("list")
def list_keys(data: Data = None) -> None:
    """List the operator's API keys, without their secrets."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        rows = use_cases.list_keys(parts, None, limit=1_000)["items"]
    for row in rows:
        made = row["created_at"].partition(".")[0]
        typer.echo(f"{row['id']}  {made}  {'revoked' if row['revoked'] else 'in use '}  {row['label']}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it.")], data: Data = None
) -> None:
    """End an operator's API key at once."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        use_cases.revoke_operator_key(parts, key_id)
    tell(f"{key_id} is revoked")


@app.command()
def addresses(data: Data = None, rpc: Rpc = None) -> None:
    """Show the chain addresses of relayer, attestor and admin; makes them if the folder has none yet.

    Keys are sealed for one chain: with --rpc for that node's, else for the chain of the data folder.
    On a live chain admin (for `deploy`) and relayer (for all that follows) need coins for gas.
    """
    with one_sentence():
        found = operator_addresses(settings_of(data=data, rpc_url=rpc))
    for purpose, address in found.items():
        typer.echo(f"{purpose:9} {address}")
