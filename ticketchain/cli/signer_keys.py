"""`ticketchain signer rotate` and `rewrap`: the wrapping key's next version, and all seals renewed under it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ticketchain.cli.local import FAILED, Data, one_sentence, settings_of, tell
from ticketchain.installing import signer_config
from ticketchain.signer.config import Config
from ticketchain.signer.opening import open_vault
from ticketchain.signer.rewrap import Rewrapped
from ticketchain.signer.upkeep import next_version, renew_seals


def rotate(data: Data = None) -> None:
    """Make the next version of the key that wraps all others, where TICKETCHAIN_KEY_PROVIDER says: `file`,
    `systemd:NAME`, `aws-kms:KEY-ID` or `vault:URL#KEY`.

    New seals use it at once, also in a signer that runs; what is sealed stays readable by the older versions until
    `rewrap` has renewed it. Back up the new version before that.
    """
    with one_sentence():
        config = _config(data)
        version = next_version(config)
    tell(
        f"version {version} of the wrapping key is kept at {config.key_provider} and seals what is new; "
        "`ticketchain signer rewrap` seals the rest under it"
    )


def rewrap(
    data: Data = None, as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False
) -> None:
    """Seal all keys anew under the newest version of the wrapping key, while the signer goes on signing.

    It may be stopped or killed at any time: run it again, and it goes on where it was. Status 1 when a key did not
    open; it is named, and stays as it was. Once this has ended with status 0, older versions are needed for nothing
    but backups of the vault, and for a signer until its next start.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with one_sentence(), Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("keys sealed anew", total=None)
        outcome = renew_seals(_config(data), lambda done, all_: bars.update(bar, completed=done, total=all_))
    _say(outcome, as_json)
    raise typer.Exit(FAILED if outcome.broken else 0)


def _say(outcome: Rewrapped, as_json: bool) -> None:
    if as_json:
        values = {"done": outcome.done, "version": outcome.version, "broken": outcome.broken}
        typer.echo(json.dumps(values))
        return
    for name in outcome.broken:
        typer.echo(f"{name}: does not open, left as it was; restore it from a backup of the vault")
    typer.echo(f"{outcome.done} keys are sealed anew under version {outcome.version} of the wrapping key")


def _config(data: Data) -> Config:
    settings = settings_of(data=data)
    open_vault(settings.signer).close()  # a mistyped folder is told of before it is made
    return signer_config(settings, as_json=False)
