"""The API's documentation as one page, made from the OpenAPI description: no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from api.security import only_style

router = APIRouter(include_in_schema=False)
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates" / "docs"), autoescape=True, undefined=StrictUndefined
)
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_PAGES.filters["marked"] = lambda text: Markup(_MARKDOWN.render(text))  # noqa: S704  (our own text; HTML in it is shown)

_SOURCE = (Path(__file__).parent / "templates" / "docs" / "docs.html").read_text(encoding="utf-8")
_STYLE = _SOURCE.partition("<style>")[2].partition("</style>")[0]
_HEADERS = {"Content-Security-Policy": only_style(_STYLE), "Cache-Control": "no-cache"}
_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/")
def home() -> RedirectResponse:
    """Where a visitor lands."""
    return RedirectResponse("/docs")


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every operation, by chapter."""
    app: FastAPI = request.app
    described = app.openapi()
    chapters = [{**tag, "operations": list(_operations(described, tag["name"]))} for tag in described["tags"]]
    page = _PAGES.get_template("docs.html").render(api=described["info"], chapters=chapters)
    return HTMLResponse(page, headers=_HEADERS)


def _operations(described: dict[str, Any], tag: str) -> Iterator[dict[str, Any]]:
    for path, item in described["paths"].items():
        for method in _METHODS:
            found = item.get(method)
            if found is not None and tag in found.get("tags", ()):
                yield _operation(described, method, path, found)


def _operation(described: dict[str, Any], method: str, path: str, found: dict[str, Any]) -> dict[str, Any]:
    content = found.get("requestBody", {}).get("content", {})
    return {
        "id": found["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": found.get("summary", ""),
        "description": found.get("description", ""),
        "scope": found.get("x-scope"),
        "parameters": [{"description": "", **p, "type": _type(p["schema"])} for p in found.get("parameters", ())],
        "bodies": [
            {"type": kind, "fields": _fields(described, body.get("schema", {}))} for kind, body in content.items()
        ],
        "answers": {code: answer["description"] for code, answer in found["responses"].items()},
    }


def _fields(described: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    """The fields of a body and of what is in them, by dotted name; of a choice, those of the first that has any."""
    for choice in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ()), schema.get("items", {})):
        if "$ref" in choice:
            return _fields(described, described["components"]["schemas"][choice["$ref"].rsplit("/", 1)[1]], prefix)
    needed, fields = schema.get("required", ()), []
    for name, field in schema.get("properties", {}).items():
        about = {"needed": name in needed, "about": field.get("description", "")}
        fields.append({"name": prefix + name, "type": _type(field)} | about)
        fields += _fields(described, field, f"{prefix}{name}.")
    return fields


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_type(choice) for choice in choices))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))
