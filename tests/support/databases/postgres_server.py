"""A PostgreSQL of a run of the tests: started once, shared by all of its processes, gone with the run."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SERVER_VARIABLE", "NoServer", "programs", "running_server"]

SERVER_VARIABLE = "TEST_POSTGRES_SERVER"
"""Environment variable with the URL of the server's first database, for the processes that run tests."""

INSTALL = "the tests on PostgreSQL need its server: run `apt-get install postgresql`"

OPTIONS = (
    # Nothing of the run has to survive a power failure.
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    # Each database of the tests has two or three connections, and there are several processes of tests.
    "max_connections=200",
    "listen_addresses=127.0.0.1",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "jit=off",
)

KEEPER = 'read -r _; "$1/pg_ctl" -D "$2/db" -m immediate -w stop >/dev/null 2>&1; rm -rf "$2"'
"""Shell script that stops the server when its input ends: also where the run of the tests is killed."""


class NoServer(Exception):
    """There is no PostgreSQL here, or it does not start."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Programs of a PostgreSQL, a folder for a server, and the words before each command to run it as its user."""

    programs: Path
    folder: Path
    as_user: tuple[str, ...]

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL to its end.

        Its output goes to a file: a server inherits pipes, and would keep them open.
        """
        log = self.folder / "log"
        with log.open("ab") as output:
            command = [*self.as_user, str(self.programs / program), *arguments]
            ended = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", timeout=60
            )
        if ended.returncode:
            raise NoServer(f"{program} of PostgreSQL has failed: {log.read_text(encoding='utf-8', errors='replace')}")


def programs() -> Path:
    """Return the folder with the programs of the newest PostgreSQL.

    Raises:
        NoServer: there is none.
    """
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise NoServer(INSTALL)


def _as_user() -> tuple[tuple[str, ...], int | None]:
    """Return the words before a command and the id of the user who runs the server, which may not be root."""
    if os.geteuid() != 0:
        return (), None
    try:
        user = pwd.getpwnam("postgres").pw_uid
    except KeyError:
        raise NoServer(INSTALL) from None
    return ("runuser", "-u", "postgres", "--"), user


@contextmanager
def running_server() -> Iterator[str]:
    """Run a server within the block; gives the URL of its database ``postgres``.

    Raises:
        NoServer: there is no PostgreSQL here, or it does not start.
    """
    found, (as_user, user) = programs(), _as_user()
    folder = Path(tempfile.mkdtemp(prefix="tgllm-postgres-"))
    if user is not None:
        os.chown(folder, user, -1)
    place = _Place(found, folder, as_user)
    try:
        place.run(
            "initdb", "-D", f"{folder}/db", "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
        )
        port = _start(place)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    keeper = subprocess.Popen(
        [*as_user, "sh", "-c", KEEPER, "keeper", str(found), str(folder)], stdin=subprocess.PIPE, cwd="/"
    )
    try:
        yield f"postgresql://tests@127.0.0.1:{port}/postgres"
    finally:
        keeper.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _start(place: _Place, attempts: int = 5) -> int:
    """Start the server on a free port, which another program may take before the server does."""
    while True:
        port = _free_port()
        options = " ".join(
            f"-c {option}" for option in (f"port={port}", f"unix_socket_directories={place.folder}", *OPTIONS)
        )
        attempts -= 1
        try:
            place.run(
                "pg_ctl",
                "-D",
                f"{place.folder}/db",
                "-w",
                "-t",
                "50",
                "-l",
                f"{place.folder}/server.log",
                "-o",
                options,
                "start",
            )
            return port
        except NoServer:
            if not attempts:
                raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
