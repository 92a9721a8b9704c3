"""`ticketchain outbox`: what is on its way to the chain, and the ways out when it is stuck, straight on the database.

It works while the service runs: the workers see what it did at their next step.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ticketchain.cli.local import Data, Rpc, one_sentence, settings_of, tell
from ticketchain.context import open_store
from ticketchain.installing import fill_nonce
from ticketchain.usecases import operate

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
State = StrEnum("State", operate.STATES)  # type: ignore[misc]
_COLUMNS = ("id", "kind", "event", "state", "age_s", "signer", "tries", "nonce", "attempts", "problem")


@app.callback()
def outbox() -> None:
    """What is on its way to the chain; works on the database (of --data or settings), also while it serves."""


@app.command("list")
def list_intents(
    data: Data = None,
    state: Annotated[State | None, typer.Option(help="Only these; without it, all that is still to be done.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, oldest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List intents: what they want, how old they are, who sends them in which transaction, what is wrong."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        rows = operate.list_intents(parts, state.value if state else None, limit)
    _show(rows, _COLUMNS, as_json)


@app.command()
def signers(data: Data = None, as_json: AsJson = False) -> None:
    """List the relayers: nonce, balance, transactions under way, and why one was stopped."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        rows = operate.list_signers(parts)
    _show(rows, ("address", "nonce", "balance_wei", "under_way", "stopped_at", "reason"), as_json)


@app.command()
def retry(ids: Annotated[list[int], typer.Argument(help="Ids as `list` shows them.")], data: Data = None) -> None:
    """Send stuck intents again, as if they had never been tried."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        done = operate.retry(parts, ids)
    tell(f"{len(done)} pending again")


@app.command()
def resume(address: Annotated[str, typer.Argument(help="Address of the stopped relayer.")], data: Data = None) -> None:
    """Let a stopped relayer go on from whatever nonce the chain says; look first at why it was stopped (`signers`)."""
    with one_sentence(), open_store(settings_of(data=data)) as parts:
        operate.resume(parts, address)
    tell(f"{address} goes on")


@app.command()
def fill(
    signer: Annotated[str, typer.Option(help="Address of the relayer.", metavar="ADDRESS")],
    nonce: Annotated[int, typer.Option(min=0, help="The nonce that nothing else will ever use.")],
    data: Data = None,
    rpc: Rpc = None,
    as_json: AsJson = False,
) -> None:
    """Use up a nonce with a transaction that does nothing, in place of one that waits for ever or is missing.

    The worker sends it. If it is mined, what the nonce was for goes out anew with another one, when that is final; if
    the transaction that waited is mined after all, nothing else happens.
    """
    with one_sentence():
        done = fill_nonce(settings_of(data=data, rpc_url=rpc), signer, nonce)
    if as_json:
        typer.echo(json.dumps(done))
    else:
        tell(f"filler {done['hash']} for nonce {nonce} of {signer} will be sent")


def _show(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table(box=None)
    for name in columns:  # an address is for copying into the next command: whole, and `signers` has it on one line
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=name == "address")
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    console = Console()
    console.print(table if rows else "nothing")
