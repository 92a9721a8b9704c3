"""What commands that work beside the data share: settings from options, and problems told in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from ticketchain.context import PROBLEMS, CannotStart
from ticketchain.settings import Settings

FAILED, WRONG_USAGE, PART_DIED, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses, see the package."""

Data = Annotated[
    Path | None,
    typer.Option(help="Data folder: database, chain, keys, metadata.", show_default="data", metavar="FOLDER"),
]
Rpc = Annotated[
    str | None,
    typer.Option(help="RPC URL of an EVM node; without it a chain of its own runs in the data folder.", metavar="URL"),
]


def settings_of(**options: Any) -> Settings:
    """Settings with the options that were given; ends the program with status 2 when a value cannot be used."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except SettingsError as error:
        typer.echo(f"ticketchain: {error}; a list is written as JSON, such as '[\"…\"]'", err=True)
        raise typer.Exit(WRONG_USAGE) from error
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(map(str, problem["loc"]))
            typer.echo(f"ticketchain: TICKETCHAIN_{name.upper()}: {problem['msg']}", err=True)
        raise typer.Exit(WRONG_USAGE) from error


@contextmanager
def one_sentence() -> Iterator[None]:
    """Tells a known problem in one sentence on standard error and ends with status 1; anything else is a defect."""
    try:
        yield
    except PROBLEMS as error:
        text = " ".join(str(error).split())
        typer.echo(f"ticketchain: {text}", err=True)
        raise typer.Exit(FAILED) from error


def with_ledger(settings: Settings) -> Settings:
    """The settings, if the data folder has a ledger to look at: a mistyped folder would get a new, empty one, and all
    would be well. Raises `CannotStart`.
    """
    if not settings.rpc_url and not (settings.data / "deployment.json").exists():
        raise CannotStart(f"no ledger in the data folder {settings.data}; say which folder it is (--data)")
    return settings


def tell(text: str) -> None:
    """A line about what is going on, on standard error."""
    typer.echo(text, err=True)
