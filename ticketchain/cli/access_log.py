"""`ticketchain access-log`: fetches the access log of a running service."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Annotated

import typer

from ticketchain.cli.remote import HERE, Key, Service, Url, service

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

_PAGE = 10_000


@app.callback()
def access_log() -> None:
    """Who did what, on whom, why and from where. Needs a key with the scope `log:read`."""


@app.command()
def export(
    key: Key,
    url: Url = HERE,
    out: Annotated[Path | None, typer.Option(help="File to write to; without it, standard output.")] = None,
) -> None:
    """Fetch the whole log as JSON Lines, for `ticketchain audit --log FILE`."""
    with service(url, key) as api:
        if out is None:
            _fetch(api, sys.stdout)
            return
        with out.open("w", encoding="utf-8") as file:
            rows = _fetch(api, file)
    typer.echo(f"{rows} rows; check them with `ticketchain audit --log {out}`", err=True)


def _fetch(api: Service, file: IO[str]) -> int:
    """Writes page after page until there is none; the number of rows."""
    after = 0
    while text := api.text(f"/v1/access-log?after={after}&limit={_PAGE}"):
        file.write(text)
        after = json.loads(text.splitlines()[-1])["seq"]
    return after
