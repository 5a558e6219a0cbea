"""Write the schema for PostgreSQL and its migrations, translated from those for SQLite."""

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from tgllm.db.migrations.load import Migration, shipped
from tgllm.db.postgres.dialect import to_postgres
from tgllm.db.postgres.schema import FIRST_VERSION

DB: Final = Path(__file__).resolve().parents[2] / "src" / "tgllm" / "db"
HEAD: Final = "-- Made by `make generate` from db/{source}, whose comments say what the rows and columns are.\n"
BY_HAND: Final = "-- written by hand"
"""First words of a migration that the translation can't make; ``make generate`` leaves it as it is."""

GIVEN: Final = frozenset({
    "groups.id", "inbox.update_id", "passages.id", "plugin_keyboards.id", "plugin_messages.id",
    "search_waiting.message_id", "unreachable_chats.chat_id", "users.id",
})  # fmt: skip
"""Numbers that come from elsewhere; the database counts all other INTEGER PRIMARY KEYs."""
TYPES: Final = {"INTEGER": "BIGINT", "TEXT": 'TEXT COLLATE "C"', "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA"}

_NOISE: Final = re.compile(r"--[^\n]*|\bIF NOT EXISTS\b")
_TABLE: Final = re.compile(r"CREATE TABLE (?P<name>\w+) \((?P<body>.*)\)(?: STRICT)?(?:, WITHOUT ROWID)?;")
_INDEX: Final = re.compile(r"(?P<head>CREATE (?:UNIQUE )?INDEX \w+ ON \w+) \((?P<body>.*?)\)(?P<where>(?: WHERE .*)?;)")
_COLUMN: Final = re.compile(r"ALTER TABLE (?P<table>\w+) ADD COLUMN (?P<item>.*);")
_TRIGGER: Final = re.compile(
    r"CREATE TRIGGER (?P<name>\w+) (?P<event>AFTER (?:INSERT|DELETE|UPDATE OF [\w, ]+?)) ON (?P<table>\w+)"
    r"(?: WHEN (?P<when>.*?))? BEGIN (?P<body>.*;) END;"
)
_PLAIN: Final = re.compile(r"(?:ALTER TABLE \w+ (?:DROP COLUMN|RENAME)|DROP (?:INDEX|TABLE)) .*;")
_ROWS: Final = re.compile(r"(?:INSERT|UPDATE|DELETE) .*;")
_REFERENCE: Final = re.compile(r"(REFERENCES (?P<table>\w+) \([^)]*\)(?: ON DELETE (?:CASCADE|SET NULL))?)")
_LEFT: Final = re.compile(r"\b(?:GLOB|iif|STRICT|ROWID|AUTOINCREMENT|NOCASE|VIRTUAL|OR (?:IGNORE|REPLACE))\b")


def translated(script: str) -> str:
    """Return the script for PostgreSQL, without comments.

    Raises:
        ValueError: a statement has a form that is not known here.
    """
    return "".join(f"{statement}\n" for statement in _translated(script))


def _translated(script: str) -> Iterator[str]:
    listed = list(statements(script))
    coming = {found["name"] for statement in listed if (found := _TABLE.fullmatch(statement))}
    later: dict[str, list[str]] = {}
    for statement in listed:
        if found := _TABLE.fullmatch(statement):
            name = found["name"]
            coming.discard(name)
            yield _table(name, list(_items(found["body"])), coming, later)
            yield from later.pop(name, ())
        else:
            yield from _other(statement)


def _table(name: str, items: Sequence[str], coming: AbstractSet[str], later: dict[str, list[str]]) -> str:
    """Return the statement for a table; references to tables that come later are added to ``later``."""
    lines: list[str] = []
    for item in items:
        found = _REFERENCE.search(item)
        if found and found["table"] in coming:
            later.setdefault(found["table"], []).append(f"ALTER TABLE {name} ADD {_item(name, item)};")
        else:
            lines.append(f"    {_item(name, item)}")
    body = ",\n".join(lines)
    return f"CREATE TABLE {name} (\n{body}\n);"


def _other(statement: str) -> Iterator[str]:
    if found := _INDEX.fullmatch(statement):
        columns = (item if item.isidentifier() else f"({item})" for item in _items(found["body"]))
        yield f"{found['head']} ({', '.join(columns)}){found['where']}"
    elif found := _COLUMN.fullmatch(statement):
        yield f"ALTER TABLE {found['table']} ADD COLUMN {_item(found['table'], found['item'])};"
    elif found := _TRIGGER.fullmatch(statement):
        yield from _trigger(found)
    elif found := re.fullmatch(r"DROP TRIGGER (\w+);", statement):
        yield f"DROP FUNCTION {found[1]}() CASCADE;"
    elif _PLAIN.fullmatch(statement):
        yield statement
    elif _ROWS.fullmatch(statement):
        yield _code_of(to_postgres(statement).text.replace("%%", "%"))
    else:
        raise ValueError(f"no translation is known for: {statement}")


def _trigger(found: re.Match[str]) -> Iterator[str]:
    body, when = _code_of(found["body"]), _code_of(found["when"] or "")
    body = body.replace("; ", ";\n    ")
    if "SELECT" in when:
        # PostgreSQL: the condition of a trigger reads no table.
        body, when = f"IF {when} THEN {body} END IF;", ""
    condition = f" WHEN ({when})" if when else ""
    yield (
        f"CREATE FUNCTION {found['name']}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        f"BEGIN\n    {body}\n    RETURN NULL;\nEND $$;"
    )
    yield (
        f"CREATE TRIGGER {found['name']} {found['event']} ON {found['table']}\n"
        f"    FOR EACH ROW{condition} EXECUTE FUNCTION {found['name']}();"
    )


def _item(table: str, item: str) -> str:
    """Return a column or constraint of a table for PostgreSQL."""
    name, kind, *_ = item.split()
    item = _REFERENCE.sub(r"\1 DEFERRABLE", _code_of(item))
    if kind not in TYPES:
        return item
    key = f"{name} INTEGER PRIMARY KEY"
    if item.startswith(key):
        counted = "" if f"{table}.{name}" in GIVEN else "GENERATED BY DEFAULT AS IDENTITY "
        return f"{name} BIGINT {counted}PRIMARY KEY{item.removeprefix(key)}"
    item = item.replace(f"{name} {kind}", f"{name} {TYPES[kind]}", 1)
    return re.sub(r"GENERATED ALWAYS AS \((.*)\) VIRTUAL", r"GENERATED ALWAYS AS ((\1)::int) STORED", item)


def _code_of(sql: str) -> str:
    """Return an expression or a statement for PostgreSQL."""
    sql = re.sub(r"length\(CAST\((\w+) AS BLOB\)\)", r"octet_length(\1)", sql)
    sql = re.sub(r"(NOT )?\bGLOB '([^']*)'", lambda found: f"{'!' if found[1] else ''}~ '{regex_of(found[2])}'", sql)
    sql = re.sub(r"\biif\(([^,()]+), ([^,()]+), ([^,()]+)\)", r"CASE WHEN \1 THEN \2 ELSE \3 END", sql)
    sql = re.sub(r"INSERT OR IGNORE (INTO [^;]*);", r"INSERT \1 ON CONFLICT DO NOTHING;", sql)
    if left := _LEFT.search(sql.replace("VIRTUAL", "", int("GENERATED" in sql))):
        raise ValueError(f"no translation is known for {left[0]} in: {sql}")
    return sql


def regex_of(pattern: str) -> str:
    """Return the regular expression that matches what a pattern of GLOB does."""
    pieces: list[str] = re.findall(r"\[[^\]]*\]|.", pattern)
    return f"^{''.join(map(_regex_piece, pieces))}$"


def _regex_piece(piece: str) -> str:
    if piece in {"*", "?"}:
        return ".*" if piece == "*" else "."
    return piece if len(piece) > 1 else re.escape(piece)


def _code(script: str) -> str:
    return " ".join(_NOISE.sub(" ", script).split())


def statements(script: str) -> Iterator[str]:
    """Yield the statements of a script for SQLite, without comments and line breaks."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            if (code := _code(statement)) != ";":
                yield code
            statement = ""


def _items(body: str) -> Iterator[str]:
    """Yield what is between the commas outside of brackets."""
    item, depth = "", 0
    for char in body:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and not depth:
            yield item.strip()
            item = ""
        else:
            item += char
    yield item.strip()


def models() -> str:
    """Return the content of ``db/postgres/models.sql``."""
    return HEAD.format(source="models.sql") + translated((DB / "models.sql").read_text(encoding="utf-8"))


def file_of(step: Migration) -> Path:
    """Return the path of a migration for PostgreSQL."""
    return DB / "postgres" / "migrations" / f"{step.version:04}_{step.name}.sql"


def migration(step: Migration) -> str:
    """Return the content of the file of a migration for PostgreSQL."""
    path = file_of(step)
    if path.exists() and (written := path.read_text(encoding="utf-8")).startswith(BY_HAND):
        return written
    return HEAD.format(source=f"migrations/{path.name}") + translated(step.sql)


def files() -> dict[Path, str]:
    """Return the content of each file."""
    steps = [step for step in shipped() if step.version > FIRST_VERSION]
    return {DB / "postgres" / "models.sql": models()} | {file_of(step): migration(step) for step in steps}


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
    sys.exit(0)
