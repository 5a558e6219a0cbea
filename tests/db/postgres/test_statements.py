"""Each statement of the tables and queries is one that PostgreSQL can prepare, whatever the types of its parameters."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

import tgllm.db
from tgllm.db.postgres.dialect import to_postgres

ROOT = Path(tgllm.db.__file__).parent
FRAGMENTS = ("HIGHEST", "_BRANCH", "_ROW")
"""Constants that are only a part of a statement."""
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\s")


def modules() -> Iterator[ModuleType]:
    for folder in ("tables", "queries"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.stem == "fts5":
                continue
            name = ".".join(file.relative_to(ROOT.parents[1]).with_suffix("").parts)
            yield import_module(name.removesuffix(".__init__"))


def statements(module: ModuleType) -> Iterator[str]:
    """The statements that a module passes to execute and executemany."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and "execute" in call.func.attr:
            yield from evaluated(module, call.args[0])


def evaluated(module: ModuleType, node: ast.expr) -> Iterator[str]:
    try:
        found = eval(compile(ast.Expression(node), "", "eval"), vars(module) | {"table": "users"})
    except NameError:
        # A local variable: its values are constants of the module, or literals of the function.
        return
    yield found


def constants(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        if (
            name.isupper()
            and name not in FRAGMENTS
            and isinstance(value, str)
            and _SQL.match(value)
            and "{" not in value
        ):
            yield value


def prepared(sql: str) -> str:
    """The translated statement with numbered parameters."""
    places = count(1)
    return re.sub(r"%(.)", lambda match: f"${next(places)}" if match[1] == "s" else "%", to_postgres(sql).text)


@pytest.mark.postgres
def test_postgresql_prepares_each_statement(postgres_url: str) -> None:
    found = {sql for module in modules() for sql in (*statements(module), *constants(module))}
    refused: list[str] = []
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        for number, sql in enumerate(sorted(found)):
            text = prepared(sql)
            try:
                conn.execute(f"PREPARE s{number} AS {text}".encode())
            except psycopg.Error as error:
                refused.append(f"{error.sqlstate} {error}: {text}")
    assert len(found) > 200
    assert not refused, "\n".join(refused)
