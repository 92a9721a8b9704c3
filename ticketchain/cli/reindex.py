"""`ticketchain reindex`: the read model against the chain."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ticketchain.cli.local import FAILED, WRONG_USAGE, Data, Rpc, one_sentence, settings_of, tell, with_ledger
from ticketchain.context import Context, open_context
from ticketchain.usecases import forks, reindex


def reindex_(
    rpc: Rpc = None,
    data: Data = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare; status 1 when something differs.")] = False,
    accept_fork: Annotated[
        bool, typer.Option("--accept-fork", help="Follow the chain that replaced final blocks; sales go on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rebuild what the service knows from the chain alone, compare it with the read model, and repair that.

    It may run beside a service on PostgreSQL; one with a chain of its own has to be stopped first. At the end it lists
    what was done because of changes that the chain does not have (refunds, payouts, events): decide about each.
    """
    if check and accept_fork:
        tell("ticketchain: --check changes nothing and --accept-fork does; use one of them")
        raise typer.Exit(WRONG_USAGE)
    settings = settings_of(rpc_url=rpc, data=data)
    with one_sentence(), open_context(with_ledger(settings), tell) as context:
        reports = _accept(context) if accept_fork else _compare(context, check)
        unbacked = [told for indexer in context.indexers for told in reindex.unbacked(context.parts, indexer.ledger)]
    if as_json:
        typer.echo(json.dumps({"ledgers": reports, "unbacked": unbacked}))
    else:
        _show(reports, unbacked)
    if check and not all(report["equal"] for report in reports):
        raise typer.Exit(FAILED)


def _compare(context: Context, check: bool) -> list[dict[str, Any]]:
    act = reindex.check if check else reindex.repair
    return [act(context.parts, indexer).as_json() | {"repaired": not check} for indexer in context.indexers]


def _accept(context: Context) -> list[dict[str, Any]]:
    """Takes every stopped ledger back to what both chains have, and follows the new one to its head."""
    reports = []
    for indexer in context.indexers:
        if not forks.is_forked(context.parts, indexer.ledger):
            continue
        parent = indexer.shared()
        depth = forks.accept_fork(context.parts, indexer.ledger, parent)
        while indexer.step():
            pass
        reports.append({"ledger": indexer.ledger, "parent": parent, "depth": depth})
    if not reports:
        tell("no ledger is stopped: there is nothing to accept")
    return reports


def _show(reports: list[dict[str, Any]], unbacked: list[dict[str, Any]]) -> None:
    for report in reports:
        if "equal" not in report:
            typer.echo(f"ledger {report['ledger']}: follows the new chain from block {report['parent'] + 1}")
            continue
        done = " and were repaired" if report["repaired"] else ""
        verdict = "equal" if report["equal"] else f"{report['differences']} rows differ{done}"
        typer.echo(f"ledger {report['ledger']} up to block {report['final']}: {verdict}")
        for one in report["first"]:
            typer.echo(f"  {one['table']} {one['key']}\n    here  {one['here']}\n    chain {one['chain']}")
    for told in unbacked:
        typer.echo("not on the chain: " + " ".join(f"{name}={value}" for name, value in told.items()))
