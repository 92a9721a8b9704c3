"""The access log, for those who check who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.deps import Caller, Shop, scope
from ticketchain.usecases import access

router = APIRouter(tags=["Access log"])


@router.get(
    "/access-log",
    summary="Export the access log",
    response_class=StreamingResponse,
    response_model=None,
    **scope("log:read", 422),
)
def export_access_log(
    shop: Shop,
    who: Caller,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`seq` of the last row you have.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000_000, description="Most rows.")] = 10_000,
) -> StreamingResponse:
    """Who did what, on whom, why and from where. An organizer gets its own rows whole; of the others it gets hashes,
    which show that none is missing (`ticketchain audit --log FILE`). Go on with `after` until no line comes.
    """
    return StreamingResponse(access.export(shop, who, after, limit), media_type="application/jsonl")
