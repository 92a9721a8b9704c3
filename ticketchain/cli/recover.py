"""`ticketchain recover`: after a restore from a backup, with the service stopped."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ticketchain.cli.local import Data, Rpc, one_sentence, settings_of, tell, with_ledger
from ticketchain.context import Context, open_context
from ticketchain.usecases.recover import Accounts, final_number
from ticketchain.usecases.recover import recover as make_right

_FORMATS = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


def recover(
    since: Annotated[datetime, typer.Option(help="When the backup was made, or earlier; UTC.", formats=_FORMATS)],
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it only shows what it would do.")] = False,
    data: Data = None,
    rpc: Rpc = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """After a restore from a backup: follow the chain, let the relayers go on after what it has of them, and make the
    money right that was taken since: what the ledger has delivered stays, what nobody knows any more goes back.

    Stop the service first, and keep it stopped until this has run with --apply. It may be run again.
    """
    settings = settings_of(data=data, rpc_url=rpc)
    with one_sentence(), open_context(with_ledger(settings), tell) as context:
        catch_up(context)
        relayers = context.parts.signer.relayers
        mined = {address: context.gateway.nonce(address) for address in relayers}
        pending = {address: context.gateway.nonce(address, pending=True) for address in relayers}
        report = make_right(context.parts, since.replace(tzinfo=UTC), Accounts(mined, pending), apply)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        show(report)


def catch_up(context: Context) -> None:
    """Follows every ledger until the block that is the head now is final: less may still be undone."""
    head, said = context.gateway.head().number, 0.0
    while (final := min(final_number(context.parts, indexer.ledger) for indexer in context.indexers)) < head:
        context.chain_step()
        if context.embedded is not None:
            context.embedded.snapshot()
        if any([indexer.step() for indexer in context.indexers]):
            continue
        if time.monotonic() - said > 10:
            tell(f"waiting until block {head} is final; block {final} is")
            said = time.monotonic()
        time.sleep(0.1)


def show(report: dict[str, Any]) -> None:
    """The report in lines; what is not done yet begins with "would"."""
    would = "" if report["applied"] else "would "
    for row in report["signers"]:
        if row["unknown_transactions"]:
            typer.echo(f"{row['address']}: {would}go on with nonce {row['nonce']}")
            typer.echo(f"  after {row['unknown_transactions']} transactions that this database does not know")
    for row in report["payments"]:
        typer.echo(f"{row['payment']}: {_PAYMENTS[row['what']]}; tickets {', '.join(row['tickets']) or 'none'}")
        if row.get("give_back"):
            typer.echo(f"  {would}give back {row['give_back']} of {row['taken']}")
        if row.get("problem"):
            typer.echo(f"  not given back: {row['problem']}")
        if row.get("sellers_unpaid"):
            typer.echo(f"  resold through a forgotten listing, pay the seller by hand: {row['sellers_unpaid']}")
    typer.echo(f"{len(report['payments'])} payments since {report['since']}" + ("" if would == "" else "; add --apply"))


_PAYMENTS = {
    "known": "its order is in the backup and follows chain and provider",
    "delivered": "its order is lost, its tickets are on the ledger",
    "forgotten": "its order is lost, and nothing was delivered",
    "not ours": "no payment of this service",
}
