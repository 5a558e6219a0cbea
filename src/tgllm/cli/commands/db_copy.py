"""Implementation of ``tgllm db copy``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tgllm.api.clock import SystemClock, milliseconds
from tgllm.cli.output import print_json, print_table, say
from tgllm.config.paths import database_path
from tgllm.db.copying.copy import CopiedTable, copy
from tgllm.db.engine.place import Place, Server, is_url, words_for
from tgllm.i18n import Catalogue

__all__ = ["place_of", "run_copy"]

_FILES: Final = frozenset({".db", ".sqlite", ".sqlite3"})
"""Endings of names of database files; a missing file with another name is taken for a folder."""


def run_copy(source: str, target: str, language: str, *, as_json: bool) -> None:
    """Copy a database, and print the tables with their checksums.

    Raises:
        DatabaseError: a database can't be used, or the target has content.
    """
    from_, to = place_of(source), place_of(target)
    copied = copy(from_, to, milliseconds(SystemClock()))
    if as_json:
        print_json(_object(from_, to, copied))
        return
    print_table(("Table", "Rows", "Checksum"), ((table.name, str(table.rows), table.checksum) for table in copied))
    count = sum(table.rows for table in copied)
    texts = Catalogue(language)
    say(texts("shell.db_copied", count=count, source=words_for(from_), target=words_for(to)))
    say(texts("shell.db_copied_to_file" if isinstance(to, Path) else "shell.db_copied_to_server"))


def place_of(text: str) -> Place:
    """Return the database that an argument names: the URL of a server, a file, or the data folder that it is in."""
    if is_url(text):
        return Server(text)
    path = Path(text).absolute()
    is_folder = path.is_dir() or (not path.exists() and path.suffix not in _FILES)
    return database_path(path) if is_folder else path


def _object(source: Place, target: Place, copied: Sequence[CopiedTable]) -> dict[str, object]:
    tables = {table.name: {"rows": table.rows, "checksum": table.checksum} for table in copied}
    return {"source": words_for(source), "target": words_for(target), "tables": tables}
