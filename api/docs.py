"""The API's documentation as one page, made from the OpenAPI description: no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

router = APIRouter(include_in_schema=False)
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates" / "docs"), autoescape=True, undefined=StrictUndefined
)
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
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


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


def _fields(described: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a body: of the schema it names, or of each it may be."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for choice in schema.get("anyOf", schema.get("oneOf", ())):
        if fields := _fields(described, choice):
            return fields
    needed = schema.get("required", ())
    return [
        {"name": name, "type": _type(field), "needed": name in needed, "about": field.get("description", "")}
        for name, field in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_type(choice) for choice in choices))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))
