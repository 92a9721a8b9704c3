"""`ticketchain plan`: an organizer's seat plans, through the service's API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from ticketchain.cli.issue import MEDIA
from ticketchain.cli.remote import HERE, Key, Refused, Url, key_of, service

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

PlanId = Annotated[str, typer.Argument(help="Id of the plan (pln_…).", metavar="PLAN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def plan() -> None:
    """Store and look at seat plans. Needs a running service and an organizer's key."""


@app.command()
def create(
    file: Annotated[
        Path,
        typer.Argument(
            help="Our own JSON, a manifest (.csv or .json), or a seating plan of pretix; see docs/seat-plans.md.",
            exists=True,
            dir_okay=False,
        ),
    ],
    key: Key,
    name: Annotated[str, typer.Option(help="Its name; left out: as the file says, or as the file is called.")] = "",
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Store a seat plan; the same file again finds the same plan. A file with problems stores nothing."""
    media = MEDIA.get(file.suffix.lower())
    with service(url, key) as api:
        if media is None:
            raise Refused({"detail": f"{file}: a plan's name ends in .csv or .json"})
        data = file.read_bytes()
        path = f"/v1/seat-plans?name={quote(name or _name_of(file, data))}"
        made = api.post(path, idempotency_key=key_of("plan", path, data), body=data, media=media)
    _show(made, as_json)


@app.command("list")
def list_(key: Key, url: Url = HERE, as_json: AsJson = False) -> None:
    """List one's seat plans."""
    items: list[dict[str, Any]] = []
    after = ""
    with service(url, key) as api:
        while True:
            page = api.get(f"/v1/seat-plans?limit=200{f'&after={after}' if after else ''}")
            items += page["items"]
            if (after := page["next"]) is None:
                break
    if as_json:
        typer.echo(json.dumps({"items": items}))
        return
    table = Table()
    for name in ("plan", "name", "stored"):  # an id is for copying into the next command: whole, and on one line
        table.add_column(name, overflow="fold", no_wrap=name == "plan")
    for item in items:
        table.add_row(item["id"], item["name"], item["created_at"])
    Console().print(table)


@app.command()
def show(plan_id: PlanId, key: Key, url: Url = HERE, as_json: AsJson = False) -> None:
    """Show a plan in numbers; with --json all of it, as `create` takes it again below `document`."""
    with service(url, key) as api:
        found = api.get(f"/v1/seat-plans/{plan_id}")
    _show(found, as_json)


def _name_of(file: Path, data: bytes) -> str:
    """The name for a file that has none inside: a manifest is called as its file is."""
    if file.suffix.lower() == ".json":
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return ""  # the service says what is wrong with it
        if isinstance(found, dict) and "name" in found:
            return ""
    return file.stem


def _show(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(plan))
        return
    typer.echo(f"{plan['id']}  {plan['name']}: {plan['seats']} seats")
    for section in plan["sections"]:
        typer.echo(f"  section   {section['name']}: {section['seats']} seats in {section['rows']} rows")
    for category in plan["categories"]:
        typer.echo(f"  category  {category['category']}: {category['seats']} seats")
    typer.echo(f"  picture   /v1/seat-plans/{plan['id']}.svg")
