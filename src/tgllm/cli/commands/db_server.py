"""Implementation of ``tgllm db check`` and ``stats`` for a database on a server."""

from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.cli.output import print_json, print_table, say
from tgllm.config.model import Config
from tgllm.db.engine.place import Server, words_for
from tgllm.db.file.probe import mib
from tgllm.i18n import Catalogue

if TYPE_CHECKING:
    from tgllm.db.postgres.check import ServerReport

__all__ = ["check_server", "folder_size", "print_sizes", "server_object"]


def check_server(server: Server) -> "ServerReport":
    """Check the database.

    Raises:
        DatabaseError: the server can't be used.
    """
    from tgllm.db.postgres.check import check  # noqa: PLC0415  imports psycopg, which few bots need

    return check(server)


def server_object(report: "ServerReport") -> dict[str, object]:
    """Return a report for ``--json``."""
    return {
        "place": report.place,
        "ok": report.ok,
        "problems": list(report.problems),
        "size": report.size,
        "version": report.version,
        "server_version": report.server_version,
        "rows": dict(report.rows),
    }


def print_sizes(config: Config, server: Server, *, as_json: bool) -> None:
    """Print the space of the database by table, and that of the files.

    Raises:
        DatabaseError: the server can't be used.
    """
    from tgllm.db.postgres.check import sizes  # noqa: PLC0415  imports psycopg, which few bots need

    size, tables = sizes(server)
    count, files = folder_size(config.data_dir / "files")
    if as_json:
        rows = {name: {"rows": table.rows, "bytes": table.bytes} for name, table in tables.items()}
        print_json(
            {"place": words_for(server), "size": size, "tables": rows, "files": {"count": count, "bytes": files}}
        )
        return
    print_table(("Table", "Rows", "MiB"), ((name, str(each.rows), mib(each.bytes)) for name, each in tables.items()))
    say(Catalogue(config.language)("shell.db_space_server", size=mib(size), files=mib(files)))


def folder_size(path: Path) -> tuple[int, int]:
    """Return the number of files in a folder, and their bytes."""
    sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    return len(sizes), sum(sizes)
