"""The auditor: knows the addresses of a node and of the ledger, and reads the story from the chain alone."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from ticketchain.demo.checks import chain_and_books, people_and_books
from ticketchain.demo.service import PROGRAM, Place
from ticketchain.demo.stage import Stage
from ticketchain.demo.web import DidNotHappen


def read_chain(place: Place) -> dict[str, Any]:
    """The report of `ticketchain audit`. Raises `DidNotHappen` when it could not read the chain."""
    command = [*PROGRAM, "audit", "--rpc", place.rpc, "--ledger", place.ledger, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(done.stdout))
    except ValueError as error:
        raise DidNotHappen(f"the auditor gave no report: {done.stderr.strip()[-500:]}") from error


def audit(stage: Stage, before: dict[str, Any] | None) -> dict[str, Any]:
    """Reads the chain and holds the service's books, and what people did, against it; the report."""
    books, report = stage.books(), read_chain(stage.place)
    stage.checks += people_and_books(books, stage.plan, stage.tally)
    stage.checks += chain_and_books(books, report, before)
    stage.tell("Auditor", f"reads {report['logs']} logs from the chain and nothing else")
    return report
