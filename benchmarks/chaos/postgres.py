"""A PostgreSQL of a benchmark, which may be restarted in its course."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.process import TICK

__all__ = ["Postgres", "running_postgres"]


class Postgres:
    """A running server with an empty database."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        """Describe a server; ``running_postgres`` starts it."""
        self._programs = programs
        self._folder = folder
        self._port = port
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL as its user, who may not be root.

        Its output goes to a file: the server would keep a pipe open.
        """
        user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        with (self._folder / "programs.log").open("ab") as log:
            command = [*user, str(self._programs / program), *arguments]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", timeout=60)

    def control(self, *arguments: str) -> None:
        """Start, stop or restart the server: arguments of pg_ctl."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        log = ("-l", str(self._folder / "server.log"))
        self.run("pg_ctl", "-D", str(self._folder / "db"), "-w", "-t", "50", *log, "-o", options, *arguments)

    def restart(self, *, crash: bool) -> None:
        """Restart it: in order, or as after a crash, without saving what is only in its memory."""
        self.control("restart", "-m", "immediate" if crash else "fast")

    def cut(self) -> int:
        """Cut all connections; return their number."""
        others = "pid <> pg_backend_pid() AND datname IS NOT NULL"
        return len(self.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))  # noqa: S608 (constants)

    def cpu_ms(self) -> float:
        """Return the processor time of all processes of the server so far, also of those that have ended."""
        (main,) = (int(line) for line in (self._folder / "db" / "postmaster.pid").read_text().splitlines()[:1])
        return sum(_ticks(pid, ended=pid == main) for pid in (main, *_children(main))) * TICK

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own."""
        import psycopg  # noqa: PLC0415  other benchmarks do without

        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as conn:
            return conn.execute(sql.encode(), parameters).fetchall()


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _ticks(pid: int, *, ended: bool) -> int:
    """Return the processor time of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11 : 15 if ended else 13])


@contextmanager
def running_postgres() -> Generator[Postgres]:
    """Run a server within the block.

    Raises:
        RuntimeError: PostgreSQL is not installed.
    """
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("PostgreSQL is not installed: run `apt-get install postgresql`")
    programs = max(found, key=lambda path: float(path.parent.name)) if found else Path(on_path or "").resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="tgllm-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = Postgres(programs, folder, port)
    try:
        server.run("initdb", "-D", f"{folder}/db", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        server.control("start")
        try:
            yield server
        finally:
            server.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
