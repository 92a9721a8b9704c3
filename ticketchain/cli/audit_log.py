"""`ticketchain audit --log FILE`: an export of the access log, checked by itself and against what is on chain.

Exit status 0: whole and unchanged, 1: something is wrong, 2: could not read.
"""

from __future__ import annotations

import json
from pathlib import Path

import typer

from ticketchain.audit import CouldNotRead, LogReport, check_log, check_published, first_block, read_published

WHOLE, WRONG, COULD_NOT_READ = 0, 1, 2


def audit_log(file: Path, rpc: str, ledger: str, from_block: int, as_json: bool) -> int:
    """Prints what is wrong with an export; the exit status. `from_block`: 0 for the newest publication it names."""
    if bool(rpc) != bool(ledger):
        raise typer.BadParameter("to compare with the chain, say both --rpc URL and --ledger ADDRESS")
    try:
        with file.open(encoding="utf-8") as lines:
            report = check_log(lines)
        if rpc:
            check_published(report, read_published(rpc, ledger, from_block or first_block(report)))
    except OSError as error:
        typer.echo(f"audit: cannot read {file}: {error.strerror or error}", err=True)
        return COULD_NOT_READ
    except (CouldNotRead, UnicodeDecodeError) as error:
        typer.echo(f"audit: {error}", err=True)
        return COULD_NOT_READ
    if not rpc:
        report.notes.append(
            "Not compared with the chain: a tail that was cut off, or written anew, is seen only there."
        )
    _print(report, as_json)
    return WRONG if report.findings else WHOLE


def _print(report: LogReport, as_json: bool) -> None:
    if as_json:
        about = {"organizer": report.organizer, "rows": report.last, "shown": report.shown}
        typer.echo(json.dumps(about | {"findings": report.findings, "notes": report.notes}))
        return
    whose = f"of {report.organizer}" if report.organizer else "of the installation"
    typer.echo(f"Access log {whose}: {report.last} rows, {report.shown} of them shown whole.")
    for text in report.findings:
        typer.echo(f"  {text}")
    for text in report.notes:
        typer.echo(f"Note: {text}")
    count = len(report.findings)
    typer.echo(f"{count} things are wrong." if count else "Every row is there and unchanged.")
