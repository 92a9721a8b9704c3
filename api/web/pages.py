"""What pages for people share: templates, headers, the few files that they load."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ticketchain.domain.errors import NotFound
from ticketchain.domain.money import show

HERE = Path(__file__).parent
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
_FILES = {
    "account.css": "text/css",
    "account.js": "text/javascript",
    "asking.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "page.css": "text/css",
    "seats.css": "text/css",
    "settlement.css": "text/css",
    "seat-map.js": "text/javascript",
    "tickets.css": "text/css",
    "tickets.js": "text/javascript",
    "wallet.js": "text/javascript",
}
_PAGES = Environment(
    loader=FileSystemLoader(HERE.parent / "templates" / "web"), autoescape=True, undefined=StrictUndefined
)
_PAGES.globals["show"] = show

router = APIRouter(include_in_schema=False)


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page, compressed for those who can read that."""
    content, headers = _PAGES.get_template(template).render(**values).encode(), HEADERS
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = gzip.compress(content, 1, mtime=0), HEADERS | {"Content-Encoding": "gzip"}
    return Response(content, status, headers, "text/html; charset=utf-8")


@router.get("/web/{name}")
def file(name: str) -> Response:
    """A style or script of the pages. Raises `NotFound`."""
    if name not in _FILES:
        raise NotFound(f"there is nothing at /web/{name[:40]}")
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    content = (HERE / "static" / name).read_text(encoding="utf-8")
    return Response(content, headers=headers, media_type=_FILES[name])
