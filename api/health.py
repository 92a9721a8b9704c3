"""Whether the process is up, and whether it can do its work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.deps import Shop, public
from api.schemas import answers
from ticketchain.domain.errors import Unavailable
from ticketchain.usecases.metrics import troubles

router = APIRouter(tags=["Health"])


@router.get("/healthz", summary="Is the process up?", response_model=answers.Alive, **public())
async def healthz() -> dict[str, str]:
    """Answers as long as the process does; asks nobody else."""
    return {"status": "ok"}


@router.get("/readyz", summary="Can it do its work?", response_model=answers.Ready, **public(503))
def readyz(shop: Shop, request: Request) -> dict[str, Any]:
    """503 when the database does not answer: then this process can do nothing for anybody.

    All else that can be wrong (the chain, a stopped signer, a fork, no worker) is wrong for all processes alike, and
    looking, buying and entering go on: the answer is 200 with the status "degraded", and `checks` says what waits.
    """
    try:
        checks = {"database": "ok", **troubles(shop)}
    except Exception as error:  # whatever it raises means that it is not ready
        shop.log.warning("not ready", part="database", problem=str(error))
        raise Unavailable(
            "database: no answer; what went wrong is in the log", checks={"database": "does not answer"}
        ) from error
    for name, probe in request.app.state.ready.items():
        try:
            probe()
            checks[name] = "ok"
        except Exception as error:  # the same
            shop.log.warning("degraded", part=name, problem=str(error))
            checks[name] = "does not answer"
    return {"status": "ready" if set(checks.values()) == {"ok"} else "degraded", "checks": checks}
