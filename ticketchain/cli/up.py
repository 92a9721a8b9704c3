"""`ticketchain up`: the whole service in one process until Ctrl-C."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from api.app import create_app
from api.deadlines import Times
from api.security import Security
from ticketchain.cli import logs
from ticketchain.cli.local import INTERRUPTED, Data, Rpc, one_sentence, settings_of, tell
from ticketchain.cli.production import refuse_open
from ticketchain.cli.running import Running, Stop, api_places, listening, serving, where, working
from ticketchain.context import Context, open_context
from ticketchain.settings import Settings
from ticketchain.signing import Role


def up(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to serve on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to serve on; 0 takes a free one.", show_default="8000", min=0, max=65_535)
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people reach the service, if not by host and port.", metavar="URL")
    ] = None,
    rpc: Rpc = None,
    chain_port: Annotated[
        int | None, typer.Option(help="RPC port of the chain of its own; 0 takes a free one.", show_default="0", min=0)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it serves as one JSON line.")] = False,
) -> None:
    """Serve everything on this machine until Ctrl-C: API, worker loops, and a chain of its own unless --rpc is given.

    Ends with status 0 when stopped, 1 when it cannot start, 3 when a part of it died (start it again: it heals).
    """
    given = {"data": data, "host": host, "port": port, "base_url": base_url, "rpc_url": rpc, "chain_port": chain_port}
    settings = settings_of(**given)
    logs.configure()
    with one_sentence():
        refuse_open(settings)
        raise typer.Exit(serve(settings, as_json))


def serve(settings: Settings, as_json: bool = False) -> int:
    """Opens everything, announces it, and waits; the exit status. Raises what `open_context` raises."""
    stop = Stop()
    stop.listen()
    try:
        with listening(settings.host, settings.port) as listener:
            here = settings.model_copy(update={"port": listener.getsockname()[1]})
            with (
                open_context(here, tell, Role.WHOLE) as context,
                working(context) as worker,
                serving(app_of(context), listener, here.trusted_proxies) as server,
            ):
                announce(context, as_json)
                return Running(context, worker, server).until(stop)
    except KeyboardInterrupt:
        return INTERRUPTED


def app_of(context: Context) -> Any:
    """The HTTP application of a wired service."""
    token = context.settings.metrics_token.get_secret_value()
    ready = {"chain": context.gateway.head, "signer": context.parts.signer.log_head}
    stripe = context.stripe
    sandbox = None if stripe else context.sandbox  # with Stripe nobody pays with play money what was ordered before
    times, security = Times(context.settings.body_s, context.settings.answer_s), Security.of(context.settings)
    return create_app(
        context.parts,
        sandbox=sandbox,
        stripe=stripe,
        ready=ready,
        times=times,
        security=security,
        metrics_token=token,
    )


def announce(context: Context, as_json: bool) -> None:
    """Says where everything is."""
    places = api_places(context.settings.url) | where(context)
    if as_json:
        typer.echo(json.dumps(places))
        return
    folder = places["data"]
    rows = {
        "service": places["url"],
        "API": f"{places['docs']}  ({places['openapi']})",
        "ledger": f"{places['ledger']} on chain {places['chain_id']}",
        "chain RPC": places["rpc"],
        "data folder": folder,
        "operator key": f"ticketchain keys operator --data {folder}",
        "audit": f"ticketchain audit --rpc {places['rpc']} --ledger {places['ledger']}",
    }
    typer.echo("ticketchain is up; Ctrl-C stops it")
    for name, value in rows.items():
        typer.echo(f"  {name:13} {value}")
