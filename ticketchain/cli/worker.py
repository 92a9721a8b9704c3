"""`ticketchain worker`: only the loops, any number of processes; each loop runs in one of them at a time."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from api.app import create_monitor
from ticketchain.cli import logs
from ticketchain.cli.local import INTERRUPTED, Data, Rpc, one_sentence, settings_of, tell
from ticketchain.cli.production import is_production, refuse_open
from ticketchain.cli.running import Running, Stop, listening, live_chain, serving, where, working
from ticketchain.context import CannotStart, Context, open_context
from ticketchain.settings import Settings
from ticketchain.signing import Role


def worker(
    data: Data = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people (and the payment provider) reach the API.", metavar="URL")
    ] = None,
    rpc: Rpc = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Port for /metrics, /healthz and /readyz; 0 takes a free one.", min=0, max=65_535),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="Address of that port; another needs TICKETCHAIN_METRICS_TOKEN.")
    ] = "127.0.0.1",
    as_json: Annotated[bool, typer.Option("--json", help="Print what it works on as one JSON line.")] = False,
) -> None:
    """Run the loops behind `ticketchain api` until Ctrl-C; start more of them for more hands. Needs --rpc.

    When one dies, the others have its loops within ten seconds; when it is stopped, within two.
    """
    settings = settings_of(data=data, base_url=base_url, rpc_url=rpc)
    logs.configure()
    with one_sentence():
        refuse_open(settings)
        live_chain(settings, "worker")
        alone = metrics_host in ("127.0.0.1", "::1", "localhost") and not is_production(settings)
        if metrics_port is not None and not alone and not settings.metrics_token.get_secret_value():
            raise CannotStart(
                f"--metrics-host {metrics_host} lets others read the metrics: set TICKETCHAIN_METRICS_TOKEN for them"
            )
        raise typer.Exit(run(settings, None if metrics_port is None else (metrics_host, metrics_port), as_json))


def run(settings: Settings, monitor: tuple[str, int] | None = None, as_json: bool = False) -> int:
    """Opens what the loops need, announces it, and waits; the exit status. `monitor`: address and port of /metrics.

    Raises what `open_context` raises.
    """
    stop = Stop()
    stop.listen()
    try:
        with ExitStack() as stack:
            listener = stack.enter_context(listening(*monitor, option="--metrics-port")) if monitor else None
            context = stack.enter_context(open_context(settings, tell, Role.WORKER))
            worker = stack.enter_context(working(context))
            server = stack.enter_context(serving(_monitor(context), listener)) if listener else None
            places = where(context) | {"worker": context.leases.owner}
            if listener is not None:
                places["metrics"] = "http://{}:{}/metrics".format(*listener.getsockname()[:2])
            typer.echo(json.dumps(places) if as_json else f"ticketchain's worker {context.leases.owner} works")
            return Running(context, worker, server).until(stop)
    except KeyboardInterrupt:
        return INTERRUPTED


def _monitor(context: Context) -> Any:
    token = context.settings.metrics_token.get_secret_value()
    ready = {"chain": context.gateway.head, "signer": context.parts.signer.log_head}
    return create_monitor(context.parts, ready=ready, metrics_token=token)
