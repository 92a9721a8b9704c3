"""The page of a day's settlement, for the organizer and those who check: to look at, to print, to download.

The browser asks for a user and a password (RFC 7617): any user, and the API key as password.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Shop
from api.web.pages import page
from ticketchain.domain.errors import DomainError, Invalid, Unauthenticated, Unavailable
from ticketchain.usecases import accounts, settlement
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.reconcile import reconcile_period

router = APIRouter(include_in_schema=False)

_ASK = {"WWW-Authenticate": 'Basic realm="books: any user, the API key as password", charset="UTF-8"'}
_FLOWS = {
    "gross": "Gross",
    "sales": "Tickets, net",
    "fees": "Fees, net",
    "tax": "Tax",
    "refunds": "Refunds",
    "losses": "Disputes lost",
    "taken_back": "Back from resales",
    "earned": "Earned",
    "resale_sellers": "Resale: sellers",
    "resale_royalties": "Resale: royalties",
}
_BALANCES = {
    "at_providers": "At providers",
    "disputed": "Disputed",
    "held": "Held",
    "due_organizer": "Organizer",
    "due_sellers": "Sellers",
    "due_royalties": "Royalties",
    "due_buyers": "Buyers",
    "due_refunds": "Refunds",
    "owed": "Owed",
}


@dataclass(frozen=True)
class Days:
    """The days of a settlement, and the ways to others."""

    first: date
    last: date
    zone: str

    def link(self, by: int = 0, name: str = "settlement") -> str:
        """The address of as many days, so many later."""
        length = (self.last - self.first).days + 1
        first, last = (day + timedelta(days=by * length) for day in (self.first, self.last))
        return f"/{name}?" + urlencode({"day": first, "last": last, "zone": self.zone})


@router.get("/settlement")
def settlement_page(shop: Shop, request: Request, day: str = "", last: str = "", zone: str = "UTC") -> Response:
    """The settlement of a day (default: today), and whether all books agree about it."""
    try:
        who, days = _caller(shop, request), _days(shop, day, last, zone)
        since, until = settlement.period_of(days.first, days.last, zone)
        found = settlement.settlement(shop, who, since, until)
        agreed = _reconciliation(shop, who, since, until)
    except DomainError as problem:
        return _problem(request, problem)
    columns = {"flows": _FLOWS, "balances": _BALANCES}
    shown = page(
        request,
        "settlement.html",
        found=found,
        agreed=agreed,
        statements=_statements(agreed),
        days=days,
        columns=columns,
    )
    return _private(shown)


@router.get("/settlement.csv")
def settlement_file(shop: Shop, request: Request, day: str = "", last: str = "", zone: str = "UTC") -> Response:
    """The same as CSV."""
    try:
        who, days = _caller(shop, request), _days(shop, day, last, zone)
        found = settlement.settlement(shop, who, *settlement.period_of(days.first, days.last, zone))
    except DomainError as problem:
        return _problem(request, problem)
    headers = {"Content-Disposition": f'attachment; filename="settlement-{days.first}.csv"'}
    return _private(Response(settlement.as_csv(found), headers=headers, media_type="text/csv"))


def _days(parts: Parts, day: str, last: str, zone: str) -> Days:
    """The days asked for; a page tells people what is wrong with them. Raises `Invalid`."""
    first = _date("day", day) if day else parts.clock().date()
    return Days(first, _date("last", last) if last else first, zone)


def _date(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(name, f"{text!r} is no day; write one as 2027-03-05") from error


def _caller(parts: Parts, request: Request) -> Principal:
    """Who asks. Raises `Unauthenticated`, `Forbidden`."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        plain = base64.b64decode(given, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        plain = ""
    if not (key := plain.partition(":")[2]):
        raise Unauthenticated("API key: give it as the password, with any user name")
    who = accounts.authenticate(parts, key)
    who.demand("books:read")
    accounts.enter(who)
    return who


def _reconciliation(parts: Parts, who: Principal, since: Any, until: Any) -> dict[str, Any]:
    """Whether the books agree; or why that could not be found out now."""
    try:
        return reconcile_period(parts, since, until, organizer=who.organizer).as_json()
    except Unavailable as problem:
        return {"problem": str(problem)}


def _statements(agreed: dict[str, Any]) -> list[tuple[str, str, int, int]]:
    """What each provider's statement has of each currency: taken, given back."""
    found = []
    for each in agreed.get("providers", ()):
        taken, back = each.get("capture", {}), each.get("refund", {})
        for currency in sorted(taken.keys() | back.keys()):
            found.append((each["provider"], currency, taken.get(currency, 0), -back.get(currency, 0)))
    return found


def _problem(request: Request, problem: DomainError) -> Response:
    answer = page(request, "problem.html", problem.status, problem=problem.detail)
    if isinstance(problem, Unauthenticated):
        answer.headers.update(_ASK)
    return _private(answer)


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
