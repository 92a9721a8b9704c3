"""What commands that talk to a running service share: a small HTTP client, its options, and refusals in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

FAILED, INTERRUPTED = 1, 130
TIMEOUT_S = 60.0

Url = Annotated[str, typer.Option(help="Address of the service.", envvar="TICKETCHAIN_URL", metavar="URL")]
Key = Annotated[
    str, typer.Option(help="API key; better given as TICKETCHAIN_KEY.", envvar="TICKETCHAIN_KEY", metavar="KEY")
]
HERE = "http://127.0.0.1:8000"


class Refused(Exception):
    """The service's answer is a problem (RFC 9457), or there was no answer; `problem` are its members."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or "the service refuses")
        self.problem = problem
        self.code = problem.get("code", "")


@dataclass(frozen=True)
class Service:
    """A running service, asked with one API key. All methods raise `Refused`."""

    client: httpx.Client

    def get(self, path: str) -> Any:
        """What is at a path."""
        return self._ask("GET", path)

    def text(self, path: str) -> str:
        """What is at a path and no JSON document."""
        return self._answer("GET", path).text

    def post(self, path: str, *, idempotency_key: str, json: Any = None, body: bytes = b"", media: str = "") -> Any:
        """Sends JSON, or a body of another kind; the same key and content is carried out once, however often sent."""
        headers = {"Idempotency-Key": idempotency_key}
        if media:
            return self._ask("POST", path, headers=headers | {"Content-Type": media}, content=body)
        return self._ask("POST", path, headers=headers, json=json)

    def _ask(self, method: str, path: str, **rest: Any) -> Any:
        answer = self._answer(method, path, **rest)
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            answer = self.client.request(method, path, **rest)
        except httpx.HTTPError as error:
            detail = f"the service at {self.client.base_url} does not answer ({str(error) or type(error).__name__})"
            raise Refused({"detail": f"{detail}; is `ticketchain up` running there?"}) from error
        if answer.is_success:
            return answer
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        plain = {"detail": f"the service answers {answer.status_code} to {method} {path}"}
        raise Refused(plain | problem if isinstance(problem, dict) else plain)


@contextmanager
def service(url: str, key: str = "") -> Iterator[Service]:
    """A service to ask; a refusal that nobody handles ends the program with status 1, Ctrl-C with 130."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S) as client:
            yield Service(client)
    except httpx.InvalidURL as error:
        typer.echo(f"ticketchain: --url: {error}", err=True)
        raise typer.Exit(FAILED) from error
    except Refused as error:
        show_refusal(error)
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt:
        typer.echo("stopped; the same command again goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None


def show_refusal(refused: Refused) -> None:
    """Says what was refused, with each bad row or field of the request."""
    typer.echo(f"ticketchain: {refused}", err=True)
    rows, fields = refused.problem.get("problems"), refused.problem.get("errors")
    console = Console(stderr=True)
    if rows:
        console.print(_table(("row", "field", "message", "fix"), rows))
    if fields:
        console.print(_table(("field", "message"), fields))


def _table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Table:
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    return table


def key_of(*parts: str | bytes) -> str:
    """An Idempotency-Key that follows from the content, so that repeating a command repeats nothing."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:40]
