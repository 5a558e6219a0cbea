"""The options ``--engine`` and ``--first-cases`` of pytest, and the PostgreSQL of a run with it.

The process that the run was started as starts and stops the server; the processes of pytest-xdist, which inherit its
environment, find it by a variable there.
"""

import os
from collections.abc import Iterable
from typing import Final

import pytest

from postgres_server import SERVER_VARIABLE, NoServer, running_server

__all__ = ["add_options", "configure", "is_on_postgres", "of_each_test_one_case"]

NOT_ON: Final = {"sqlite": "postgres", "postgresql": "sqlite"}
"""For each engine the marker of tests that do not run on it."""


def add_options(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption(
        "--engine", choices=list(NOT_ON), default="sqlite", help="the database of the tests; default: %(default)s"
    )
    parser.addoption(
        "--first-cases", action="store_true", help="of parametrised tests of the bot run the first case only"
    )


def of_each_test_one_case(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests to run and the tests to leave out: of a parametrised test all cases but the first.

    The cases of a test of the bot differ in what is said and shown, seldom in what is asked of the database. Those of
    the database itself all stay.
    """
    kept, left_out, seen = list[pytest.Item](), list[pytest.Item](), set[str]()
    for item in items:
        name = item.nodeid.partition("[")[0]
        is_first = name not in seen
        seen.add(name)
        (kept if is_first or name.startswith("tests/db/") else left_out).append(item)
    return kept, left_out


def is_on_postgres(config: pytest.Config) -> bool:
    """Return whether the bots and databases of the tests are on PostgreSQL."""
    return config.getoption("--engine") == "postgresql"


def configure(config: pytest.Config) -> None:
    """Choose the tests of the engine, and start a server if the run needs one."""
    chosen = str(config.option.markexpr)
    if is_on_postgres(config):
        chosen = config.option.markexpr = chosen.replace("not postgres", "not sqlite")
    elif "postgres" not in chosen or "not postgres" in chosen:
        return
    if os.environ.get(SERVER_VARIABLE) or config.option.collectonly:
        return
    server = running_server()
    try:
        os.environ[SERVER_VARIABLE] = server.__enter__()
    except NoServer as error:
        raise pytest.UsageError(str(error)) from None

    def stop() -> None:
        del os.environ[SERVER_VARIABLE]
        server.__exit__(None, None, None)

    config.add_cleanup(stop)
