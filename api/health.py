"""Whether the process is up, and whether it can do its work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.deps import Shop, public
from api.schemas import answers
from ticketchain.domain.errors import Unavailable
from ticketchain.usecases.tickets import ledger_view

router = APIRouter(tags=["Health"])


@router.get("/healthz", summary="Is the process up?", response_model=answers.Alive, **public())
async def healthz() -> dict[str, str]:
    """Answers as long as the process does; asks nobody else."""
    return {"status": "ok"}


@router.get("/readyz", summary="Can it do its work?", response_model=answers.Ready, **public(503))
def readyz(shop: Shop, request: Request) -> dict[str, Any]:
    """Asks the database and the chain. 503 names what does not answer."""
    probes = {"database": lambda: ledger_view(shop)} | request.app.state.ready
    checks: dict[str, str] = {}
    for name, probe in probes.items():
        try:
            probe()
            checks[name] = "ok"
        except Exception as error:  # whatever a probe raises means that it is not ready
            shop.log.warning("not ready", part=name, problem=str(error))
            checks[name] = "does not answer"
    failing = [name for name, state in checks.items() if state != "ok"]
    if failing:
        raise Unavailable(f"{' and '.join(failing)}: no answer; it is in the log", checks=checks)
    return {"status": "ready", "checks": checks}
