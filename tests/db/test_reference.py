"""The page about the database says what the schema says."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite  # the page shows the types of SQLite

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "database.md"

Column = tuple[str, str, str, str]
Reference = tuple[str, str, str, str]


def tables(conn: sqlite3.Connection) -> list[str]:
    # Without the full-text indexes and the tables that SQLite makes for them.
    query = (
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'passage_*'"
        " AND name NOT GLOB 'message_trigrams*' ORDER BY rootpage"
    )
    return [row[0] for row in conn.execute(query)]


def foreign_keys(conn: sqlite3.Connection, table: str) -> dict[int, list[sqlite3.Row]]:
    keys: dict[int, list[sqlite3.Row]] = {}
    for row in conn.execute(f"SELECT * FROM pragma_foreign_key_list('{table}') ORDER BY id, seq"):
        keys.setdefault(row["id"], []).append(row)
    return keys


def real_columns(conn: sqlite3.Connection) -> Iterator[Column]:
    for table in tables(conn):
        references = {row["from"] for key in foreign_keys(conn, table).values() for row in key}
        for row in conn.execute(f"PRAGMA table_xinfo({table})"):
            marks = [mark for mark, set_ in (("PK", row["pk"]), ("FK", row["name"] in references)) if set_]
            yield table, row["name"], row["type"], ", ".join(marks)


def real_references(conn: sqlite3.Connection) -> Iterator[Reference]:
    for table in tables(conn):
        needed = {row["name"] for row in conn.execute(f"PRAGMA table_info({table})") if row["notnull"] or row["pk"]}
        for key in foreign_keys(conn, table).values():
            columns = [row["from"] for row in key]
            yield key[0]["table"], "||" if needed.issuperset(columns) else "|o", table, ", ".join(columns)


def diagram() -> str:
    (found,) = re.findall(r"```mermaid\nerDiagram\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return found


def drawn_columns() -> Iterator[Column]:
    for table, body in re.findall(r"^    (\w+) \{\n(.*?)\n    \}", diagram(), re.DOTALL | re.MULTILINE):
        for line in body.splitlines():
            match = re.fullmatch(r' {8}(\w+) (\w+) ?((?:PK|FK)(?:, FK)?)? "[^"]+"', line)
            assert match, line
            yield table, match[2], match[1], match[3] or ""


def test_the_diagram_has_every_table_and_column_with_type_and_keys(conn: sqlite3.Connection) -> None:
    assert list(drawn_columns()) == sorted(real_columns(conn), key=lambda c: tables(conn).index(c[0]))


def test_the_diagram_has_every_reference(conn: sqlite3.Connection) -> None:
    drawn = re.findall(r'^    (\w+) (\|\||\|o)--o\{ (\w+) : "([^"]+)"$', diagram(), re.MULTILINE)
    assert sorted(drawn) == sorted(real_references(conn))


def test_the_diagram_has_nothing_else() -> None:
    rest = re.sub(r"^    \w+ \{\n.*?\n    \}\n", "", diagram(), flags=re.DOTALL | re.MULTILINE)
    rest = re.sub(r'^    \w+ \S+--o\{ \w+ : "[^"]+"\n', "", rest, flags=re.MULTILINE)
    assert rest == ""


def test_the_table_of_tables_has_every_table_once(conn: sqlite3.Connection) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (listed,) = re.findall(r"<!-- tables.*?-->\n(.*?)<!-- end of tables -->", text, re.DOTALL)
    assert re.findall(r"^\| `(\w+)` \| \S.* \|$", listed, re.MULTILINE) == tables(conn)
