"""`ticketchain check`: what is open in this installation, before somebody else finds it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ticketchain.cli.local import FAILED, Data, Rpc, settings_of
from ticketchain.cli.production import Level, is_production, look

_COLOURS = {Level.GOOD: "green", Level.LOOK: "yellow", Level.OPEN: "red"}


def check(
    data: Data = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people reach the service, if not by host and port.", metavar="URL")
    ] = None,
    rpc: Rpc = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at settings and files as a thief would. Exit status 1: something is open that production refuses."""
    settings = settings_of(data=data, base_url=base_url, rpc_url=rpc)
    found, production = look(settings), is_production(settings)
    opened = [each for each in found if each.level == Level.OPEN]
    if as_json:
        typer.echo(
            json.dumps({"production": production, "open": len(opened), "found": [asdict(each) for each in found]})
        )
    else:
        title = "In production" if production else "Not in production"
        table = Table("", Column("what", overflow="fold"), "how it is", title=title)
        for each in sorted(found, key=lambda each: list(Level)[::-1].index(each.level)):
            table.add_row(f"[{_COLOURS[each.level]}]{each.level}[/]", each.what, each.text)
        Console().print(table)
        typer.echo(f"{len(opened)} things are open" if opened else "nothing is open", err=True)
    if opened:
        raise typer.Exit(FAILED)
