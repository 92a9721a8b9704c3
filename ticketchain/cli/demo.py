"""`ticketchain demo`: starts the story that `ticketchain.demo` tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data folder and say where it is.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    url: Annotated[str, typer.Option(help="Use a running service instead of starting one.", metavar="URL")] = "",
    operator_key: Annotated[
        str, typer.Option(help="With --url: its operator's API key.", envvar="TICKETCHAIN_OPERATOR_KEY", metavar="KEY")
    ] = "",
    rpc: Annotated[str, typer.Option(help="With --url: RPC URL of its chain, for the auditor.", metavar="URL")] = "",
    manifest: Annotated[Path | None, typer.Option(help="The hall's seats.", show_default="examples/hall.csv")] = None,
) -> None:
    """Run the main job end to end through HTTP, as organizer, fans, gate and auditor, and count everything.

    Ends with status 0 only if every count is as expected and the auditor, who knows nothing but the chain, agrees.
    """
    from ticketchain.demo import Options, run

    if url and not (operator_key and rpc):
        raise typer.BadParameter("--url needs --operator-key and --rpc as well")
    options = Options(keep, as_json, url, operator_key, rpc, manifest)
    raise typer.Exit(run(options))
