"""The three ways the service is run under fire: replicas on PostgreSQL, one process on SQLite, the embedded default."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from scripts.chaos.board import Board
from scripts.chaos.child import Spec
from scripts.chaos.database import Postgres
from scripts.chaos.node import Chain
from scripts.chaos.processes import Process, Processes, until
from scripts.chaos.proxy import Proxy
from ticketchain.chain.anvil import free_port

SETUPS = ("replicas", "single", "embedded")
API, WORKER, UP, SIGNER = "api", "worker", "up", "signer"
POSTGRES, ANVIL = "PostgreSQL", "anvil of the embedded chain"
_CHILDREN = {ANVIL: "anvil", SIGNER: "ticketchain.signer"}
"""Children of `up`, by what stands in their command."""

BLOCK_S = 0.15
UNPAID_S = 5
_READY_S = 120.0


@dataclass
class House:
    """A running setup. Use it as a context; `allowed` says how many RPC faults there may have been by now."""

    setup: str
    folder: Path
    seed: int
    naive: bool
    allowed: Callable[[], int]
    kept: list[Process] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    chain: Chain | None = None
    proxy: Proxy | None = None
    postgres: Postgres | None = None

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def _open(self) -> None:
        self.board = Board(self.folder / "board")
        self.data = self.folder / "data"
        self.processes = self._stack.enter_context(Processes())
        if self.setup == "replicas":
            self.postgres = self._stack.enter_context(Postgres(self.folder / "postgres"))
        if self.setup != "embedded":
            self.chain = self._stack.enter_context(Chain(self.folder, BLOCK_S))
            self.proxy = self._stack.enter_context(Proxy(self.chain.url, self.seed, self.allowed))
            self._deploy(self.chain)
        self._start()
        self.operator_key = self._say("keys", "operator").split()[-1]

    # -------------------------------------------------------------------------------------------- parts

    @property
    def database(self) -> str:
        """SQLAlchemy's URL."""
        return self.postgres.url if self.postgres else f"sqlite:///{self.data / 'ticketchain.db'}"

    @property
    def rpc(self) -> str:
        """The node itself, for the checker."""
        return self.chain.url if self.chain else str(self._announced()["rpc"])

    @property
    def ledger(self) -> str:
        """Address of the ledger."""
        return str(json.loads((self.data / "deployment.json").read_text())["address"])

    @property
    def engine(self) -> str:
        """What it runs on, in words."""
        return f"{'postgresql' if self.postgres else 'sqlite'}, {'anvil' if self.chain else 'embedded chain'}"

    def last_words(self) -> str:
        """The end of what each process said."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-2_000:]}" for log in logs)

    def _environment(self, rpc: str | None) -> dict[str, str]:
        values = {"DATA": str(self.data), "SANDBOX_PAYMENTS": "true", "RATE_LIMITS": "false"}
        values |= {"HOLD_S": "10", "PAYMENT_S": str(UNPAID_S)}
        values |= {"SIGNER_PROCESS": "true", "SIGNER_WALLET_HOUR": "100000", "SIGNER_WALLET_DAY": "100000"}
        values |= {"DATABASE_URL": self.database, "RELAYERS": "2"} if self.postgres else {}
        values |= {"RPC_URL": rpc} if rpc else {}
        values |= {"BASE_URL": self.urls[0]} if self.urls else {}
        return {f"TICKETCHAIN_{name}": value for name, value in values.items()}

    def _deploy(self, chain: Chain) -> None:
        said = self._say("keys", "addresses", rpc=chain.url).split()
        chain.endow(*(word for word in said if word.startswith("0x")))
        self._say("deploy", "--rpc", chain.url)

    def _say(self, *words: str, rpc: str | None = None) -> str:
        """Runs a command to its end; what it printed. Raises `RuntimeError` when it failed."""
        status, said = self._run(*words, rpc=rpc)
        if status:
            raise RuntimeError(f"ticketchain {' '.join(words)} failed: {said}")
        return said

    def _run(self, *words: str, rpc: str | None = None) -> tuple[int, str]:
        """Runs a command to its end; its exit status and what it printed."""
        log = self.folder / f"{'-'.join(words[:2])}.log"
        spec = Spec(list(words), self._environment(rpc), str(log), "")
        status = self.processes.run(words[0], spec)
        return status, log.read_text()

    # -------------------------------------------------------------------------------------------- processes

    def _start(self) -> None:
        ports = [free_port() for _ in range(2 if self.setup == "replicas" else 1)]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        role = API if self.setup == "replicas" else UP
        if role == API:
            self._keep(SIGNER, "run")
        for port in ports:
            self._keep(role, "--port", str(port), *(["--json"] if role == UP else []))
        for _ in range(2 if self.setup == "replicas" else 0):
            self._keep(WORKER)
        until(self.ready, _READY_S, "readiness")

    def _keep(self, role: str, *words: str) -> None:
        rpc = self.proxy.url if self.proxy else None
        log = self.folder / f"{role}-{len(self.kept)}.log"
        spec = Spec([role, *words], self._environment(rpc), str(log), str(self.board.file), self.naive)
        self.kept.append(self.processes.keep(role, spec))

    def ready(self) -> bool:
        """Whether all API processes answer."""
        try:
            return all(httpx.get(f"{url}/readyz", trust_env=False).status_code == 200 for url in self.urls)
        except httpx.HTTPError:
            return False

    def settle(self) -> None:
        """Waits until what the chain outside has now is final: nothing of the opening is taken back."""
        if (chain := self.chain) is not None:
            head = chain.gateway.head().number
            until(lambda: chain.gateway.finalized() >= head, 60, "finality")

    def reindex(self) -> str:
        """What `ticketchain reindex --check` finds; "" when the read model is the chain's. It ends the embedded chain's
        service first, as its help says.
        """
        if self.chain is None:
            self.processes.stop(self.kept[0])
        status, said = self._run("reindex", "--check", rpc=self.chain.url if self.chain else None)
        return " ".join(said.split()) if status else ""

    def reconcile(self) -> list[str]:
        """The differences that `ticketchain reconcile` finds, of this day and those beside it."""
        today = datetime.now(UTC).date()
        days = ("--day", str(today - timedelta(days=1)), "--last", str(today + timedelta(days=1)))
        status, said = self._run("reconcile", *days, "--json", rpc=self.chain.url if self.chain else None)
        reports = [json.loads(line) for line in said.splitlines() if line.startswith('{"since"')]
        found = [
            f"{each['what']} {each['reference']}: {each['text']}"
            for each in (reports or [{}])[-1].get("differences", ())
        ]
        return found if reports and bool(found) == bool(status) else [*found, f"status {status}: {said[-500:]}"]

    def victims(self) -> list[str]:
        """What can be killed from outside."""
        roles = list(dict.fromkeys([*(process.name for process in self.kept), SIGNER]))
        return [*roles, *([POSTGRES] if self.postgres else []), *([] if self.chain else [ANVIL])]

    def kill(self, victim: str, rng: random.Random) -> bool:
        """SIGKILL for one of this kind; False when none was there."""
        if victim == POSTGRES:
            assert self.postgres is not None
            self.postgres.kill()
            self.postgres.start()
            return True
        running = [process for process in self.kept if process.pid and process.name in (victim, UP)]
        if not running:
            return False
        process = rng.choice(running)
        if victim in _CHILDREN and process.name == UP:
            return _kill_child(process.pid, _CHILDREN[victim])
        ends = len(process.ends)
        self.processes.kill(process)
        until(lambda: len(process.ends) > ends, 20, f"the end of {victim}")
        return process.ends[-1] == -signal.SIGKILL

    def _announced(self) -> dict[str, Any]:
        """What `up --json` said last."""
        lines = Path(self.kept[0].spec.log).read_text().splitlines()
        found: dict[str, Any] = json.loads([line for line in lines if line.startswith('{"url"')][-1])
        return found


def _kill_child(parent: int, name: str) -> bool:
    """SIGKILL for the child of a process that has this name; False when there is none."""
    try:
        for file in Path(f"/proc/{parent}/task").glob("*/children"):
            for pid in map(int, file.read_text().split()):
                if name in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, signal.SIGKILL)
                    return True
    except (FileNotFoundError, ProcessLookupError):
        return False  # it ended while we looked
    return False
