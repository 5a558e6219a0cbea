"""The option ``--engine`` of pytest, and the PostgreSQL of a run with it.

The process that the run was started as starts and stops the server; the processes of pytest-xdist, which inherit its
environment, find it by a variable there.
"""

import os
from typing import Final

import pytest

from postgres_server import SERVER_VARIABLE, NoServer, running_server

__all__ = ["add_option", "configure", "is_on_postgres"]

NOT_ON: Final = {"sqlite": "postgres", "postgresql": "sqlite"}
"""For each engine the marker of tests that do not run on it."""


def add_option(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(
        "--engine", choices=list(NOT_ON), default="sqlite", help="the database of the tests; default: %(default)s"
    )


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
