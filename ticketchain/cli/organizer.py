"""`ticketchain organizer`: organizers of an installation, through the service's API."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ticketchain.cli.remote import HERE, Key, Url, key_of, service

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def organizer() -> None:
    """Register organizers. Needs a running service and the operator's key (`ticketchain keys operator`)."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name that everybody will read.")],
    key: Key,
    url: Url = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Register an organizer and print its owner's API key, once; the same name again is the same organizer."""
    with service(url, key) as api:
        made = api.post("/v1/organizers", idempotency_key=key_of("organizer", name), json={"name": name})
    if as_json:
        typer.echo(json.dumps(made))
        return
    typer.echo(f"{made['id']}  {made['name']}, {made['address']} on the ledger", err=True)
    if made["api_key"] is None:
        typer.echo("ticketchain: it was registered before; its key was shown then", err=True)
    else:
        typer.echo(made["api_key"])
