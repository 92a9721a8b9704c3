"""`ticketchain signer`: the process that has the keys, its switch and its log.

All but `status` work on the vault itself, so they are for the signer's own user, on its machine, also while it runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from ticketchain.cli.local import FAILED, Data, Rpc, one_sentence, settings_of, tell
from ticketchain.cli.signer_keys import rewrap, rotate
from ticketchain.domain.proofs import LogEntry, LogHead, stamp
from ticketchain.installing import signer_config
from ticketchain.settings import Settings
from ticketchain.signer import log, switch
from ticketchain.signer.codec import write
from ticketchain.signer.opening import now, open_vault
from ticketchain.signer.vault import Vault
from ticketchain.wallets.remote import RemoteSigner

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_PAGE = 1_000


@app.callback()
def signer() -> None:
    """The process that has the keys of wallets and operator; `ticketchain up` starts one by itself."""


@app.command()
def run(
    data: Data = None,
    rpc: Rpc = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people reach the service: passkeys are good there only.", metavar="URL")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it answers as one JSON line.")] = False,
) -> None:
    """Sign for `ticketchain api` and `ticketchain worker` of this machine until Ctrl-C, over two sockets in its folder.

    The folder is TICKETCHAIN_SIGNER_DIR, or `signer` in the data folder. A chain that has no ledger yet is asked for
    its id once (--rpc); after that this process connects to nothing, unless keys are kept in a KMS, Vault or
    Web3Signer.
    """
    settings = settings_of(data=data, rpc_url=rpc, base_url=base_url)
    with one_sentence():
        config = signer_config(settings, as_json)
    words = [sys.executable, "-m", "ticketchain.signer", json.dumps(write(config))]
    os.execv(sys.executable, words)  # noqa: S606 - the same process from here on, without what was imported to get here


@app.command()
def status(data: Data = None, as_json: AsJson = False) -> None:
    """Say whether a signer answers, for which chain and pages, and how long its log is; status 1 when none answers."""
    settings = settings_of(data=data)
    with one_sentence():
        remote = RemoteSigner(settings.signer, operator=False)
        about, head = remote.about(), remote.log_head()
        remote.close()
    values = {
        "folder": str(settings.signer),
        "chain_id": about.chain_id,
        "origin": about.origin,
        "stopped": about.stopped,
        "log": head.seq,
        "log_hash": head.hash.hex(),
    }
    if as_json:
        typer.echo(json.dumps(values))
        return
    for name, value in values.items():
        typer.echo(f"{name.replace('_', ' '):9} {'no' if value is None else value}")


@app.command()
def stop(
    reason: Annotated[str, typer.Option(help="Why; whoever asks for a signature is told.")], data: Data = None
) -> None:
    """The kill switch: nothing is signed any more, also after a restart, until `resume`."""
    with one_sentence(), _vault(settings_of(data=data)) as vault, vault.entry(now()) as entry:
        switch.stop(entry, reason)
    tell("the signer signs nothing any more; `ticketchain signer resume` lets it go on")


@app.command()
def resume(data: Data = None) -> None:
    """Sign again."""
    with one_sentence(), _vault(settings_of(data=data)) as vault, vault.entry(now()) as entry:
        switch.resume(entry)
    tell("the signer signs again")


@app.command("log")
def show_log(
    data: Data = None,
    after: Annotated[int, typer.Option(min=0, help="Only rows after this number.")] = 0,
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain of rows instead of listing.")] = False,
    rpc: Annotated[str, typer.Option(help="With --verify: also against what a chain's node says was published.")] = "",
    ledger: Annotated[str, typer.Option(help="With --rpc: address of the ledger.")] = "",
    from_block: Annotated[int, typer.Option(min=0, help="With --rpc: where to begin to look.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each row as a line of JSON, to keep it elsewhere.")
    ] = False,
) -> None:
    """List what was signed, enrolled, held and made, or check that no row was edited or is missing (else status 1)."""
    with one_sentence(), _vault(settings_of(data=data)) as vault:
        if verify:
            problems, head = log.problems(_rows(vault, 0), _published(rpc, ledger, from_block)), _head(vault)
            for problem in problems:
                typer.echo(problem)
            tell(f"{head} rows, {len(problems)} problems")
            raise typer.Exit(FAILED if problems else 0)
        for row in _rows(vault, after):
            typer.echo(json.dumps(_values(row)) if as_json else _line(row))


def _published(rpc: str, ledger: str, from_block: int) -> list[LogHead]:
    """Heads of the log that the chain has."""
    if not rpc:
        return []
    from ticketchain.audit import CouldNotRead, read_published  # imports web3: only when it is asked for

    try:
        return [LogHead(*each.signer) for each in read_published(rpc, ledger, from_block)]
    except CouldNotRead as error:
        raise typer.BadParameter(str(error)) from error


app.command()(rotate)
app.command()(rewrap)


@contextmanager
def _vault(settings: Settings) -> Iterator[Vault]:
    vault = open_vault(settings.signer)
    try:
        yield vault
    finally:
        vault.close()


def _rows(vault: Vault, after: int) -> Iterator[LogEntry]:
    while True:
        with vault.entry(now()) as entry:
            rows = log.entries(entry.db, after, _PAGE)
        if not rows:
            return
        yield from rows
        after = rows[-1].seq


def _head(vault: Vault) -> int:
    with vault.entry(now()) as entry:
        return log.head(entry.db).seq


def _values(row: LogEntry) -> dict[str, Any]:
    """A row as it is hashed (`domain.proofs.entry_hash`), bytes as hexadecimal."""
    values = {"seq": row.seq, "at": stamp(row.at), "kind": row.kind, "subject": row.subject, "detail": row.detail}
    return values | {"prev": row.prev.hex(), "hash": row.hash.hex()}


def _line(row: LogEntry) -> str:
    return f"{row.seq:7} {stamp(row.at)[:19]} {row.kind:16} {row.subject}  {row.detail}"
