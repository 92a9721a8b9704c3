"""`ticketchain api`: only the HTTP side, any number of them beside any number of workers."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ticketchain.cli import logs
from ticketchain.cli.local import INTERRUPTED, Data, Rpc, one_sentence, settings_of, tell
from ticketchain.cli.production import refuse_open
from ticketchain.cli.running import Running, Stop, api_places, listening, live_chain, serving, where
from ticketchain.cli.up import app_of
from ticketchain.context import open_context
from ticketchain.settings import Settings
from ticketchain.signing import Role


def api(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to serve on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to serve on; 0 takes a free one.", show_default="8000", min=0, max=65_535)
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people reach the service, if not by host and port.", metavar="URL")
    ] = None,
    rpc: Rpc = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it serves as one JSON line.")] = False,
) -> None:
    """Serve the API alone until Ctrl-C; `ticketchain worker` does the work behind it. Needs --rpc.

    All processes of an installation share the database, the node, and the data folder's keys and deployment.json.
    """
    settings = settings_of(data=data, host=host, port=port, base_url=base_url, rpc_url=rpc)
    logs.configure()
    with one_sentence():
        refuse_open(settings)
        live_chain(settings, "api")
        raise typer.Exit(serve(settings, as_json))


def serve(settings: Settings, as_json: bool = False) -> int:
    """Opens what the API needs, announces it, and waits; the exit status. Raises what `open_context` raises."""
    stop = Stop()
    stop.listen()
    try:
        with listening(settings.host, settings.port) as listener:
            here = settings.model_copy(update={"port": listener.getsockname()[1]})
            with (
                open_context(here, tell, Role.API) as context,
                serving(app_of(context), listener, here.trusted_proxies) as server,
            ):
                places = api_places(here.url) | where(context)
                typer.echo(json.dumps(places) if as_json else f"ticketchain's API is up on {here.url}; Ctrl-C stops it")
                return Running(context, server=server).until(stop)
    except KeyboardInterrupt:
        return INTERRUPTED
