"""Members of organizations: who works in which role, who is invited, and for whom one works oneself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import After, Caller, Creating, Limit, Shop, scope
from api.schemas import members as schemas
from api.schemas.answers import Page
from api.schemas.fields import MemberId
from ticketchain.usecases import members

router = APIRouter(tags=["Organizers"])


@router.post(
    "/members",
    summary="Invite a member",
    status_code=201,
    response_model=schemas.Member,
    **scope("members:write", 409, 422),
)
def invite_member(body: schemas.Invitation, shop: Shop, asked: Creating) -> dict[str, Any]:
    """A mail tells of it; who has an account with that address accepts within 14 days."""
    return members.invite(shop, asked.request(body), body.mail, body.role, body.language)


@router.get("/members", summary="List members", response_model=Page[schemas.Member], **scope("members:write", 422))
def list_members(shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """Members of one's own organization, and who is invited."""
    return members.list_members(shop, who, after, limit)


@router.put(
    "/members/{member_id}/role",
    summary="Change a member's role",
    response_model=schemas.Member,
    **scope("members:write", 404, 409, 422),
)
def change_role(member_id: MemberId, body: schemas.NewRole, shop: Shop, who: Caller) -> dict[str, Any]:
    """At once, also for sessions that go on. The last owner stays one."""
    return members.change_role(shop, who, member_id, body.role)


@router.delete("/members/{member_id}", summary="Remove a member", status_code=204, **scope("members:write", 404, 409))
def remove_member(member_id: MemberId, shop: Shop, who: Caller) -> None:
    """Ends a membership at once, or withdraws an invitation."""
    members.remove(shop, who, member_id)


@router.get(
    "/memberships",
    summary="List my memberships",
    response_model=Page[schemas.Membership],
    **scope("account:write"),
)
def list_memberships(shop: Shop, who: Caller) -> dict[str, Any]:
    """For whom one works, and who invites one. Requests with the header `Ticketchain-Organizer: <organizer_id>` act
    for that organization.
    """
    return {"items": members.my_memberships(shop, who), "next": None}


@router.put(
    "/memberships/{member_id}",
    summary="Accept an invitation",
    response_model=schemas.Membership,
    **scope("account:write", 404, 409),
)
def accept_invitation(member_id: MemberId, shop: Shop, who: Caller) -> dict[str, Any]:
    """With a session of an account that has the invited address."""
    return members.accept(shop, who, member_id)


@router.delete(
    "/memberships/{member_id}",
    summary="Leave an organization",
    status_code=204,
    **scope("account:write", 404, 409),
)
def leave(member_id: MemberId, shop: Shop, who: Caller) -> None:
    """Ends one's own membership, or declines an invitation. The last owner stays."""
    members.leave(shop, who, member_id)
