"""The ledgers of an installation, in its data folder: `deployment.json` is the one where new events go, and
`deployment-0.json`, `deployment-1.json` … are those before it, which are still followed and served.

A ledger's number is its place in this row; it is part of the service's event numbers (`domain.ledgers`).
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from ticketchain.chain.deploy import Deployment, DeploymentBroken, load_deployment, save_deployment
from ticketchain.domain.ledgers import MOST_LEDGERS

_CURRENT = "deployment.json"


def load_deployments(folder: Path) -> tuple[Deployment, ...]:
    """All deployments by number, the current one last; none before the first. Raises `DeploymentBroken`."""
    known: list[Deployment] = []
    for number in count():
        if (found := load_deployment(_earlier(folder, number))) is None:
            break
        known.append(found)
    current = load_deployment(folder / _CURRENT)
    if current is None and known:
        raise DeploymentBroken(f"{folder / _CURRENT} is missing, but not those of earlier ledgers; restore it")
    if current is not None and current not in known:  # a crash may have left it written down as an earlier one already
        known.append(current)
    return tuple(known)


def add_deployment(folder: Path, deployment: Deployment) -> int:
    """Records a new ledger as the current one, beside those before it; returns its number."""
    known = load_deployments(folder)
    if len(known) >= MOST_LEDGERS:
        raise DeploymentBroken(f"{folder} has {len(known)} ledgers, which is all that event numbers have room for")
    if known:
        save_deployment(_earlier(folder, len(known) - 1), known[-1])
    save_deployment(folder / _CURRENT, deployment)
    return len(known)


def _earlier(folder: Path, number: int) -> Path:
    return folder / f"deployment-{number}.json"
