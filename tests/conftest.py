"""Fixtures of most tests: an emulated Telegram, a clock, a database, and the program as a process of its own."""

import asyncio
import logging
import os
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog

from engines import Engine, on_postgres
from plugin_support import write_distribution
from postgres_databases import empty_database, fresh_database
from postgres_run import is_on_postgres
from program_support import Launch, Program
from tgllm.db.database import Database
from tgllm.providers.network import VARIABLE
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator


@pytest.fixture(scope="session", autouse=True)
def installed_from_an_index() -> Iterator[None]:
    """Texts with commands that install packages don't depend on where the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tgllm.observe.installation.clone_folder", lambda: None)
        yield


@pytest.fixture(autouse=True)
def engine(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """Where databases are that the test names by a path: files, or on PostgreSQL with ``--engine=postgresql``."""
    if not is_on_postgres(pytestconfig):
        yield Engine()
        return
    with on_postgres() as paths:
        yield paths


@pytest.fixture
async def emu() -> AsyncIterator[Emulator]:
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
def ann(emu: Emulator) -> EmulatedUser:
    """Somebody who speaks English; as a rule the owner of the bot."""
    return emu.add_user(first_name="Ann", language_code="en")


@pytest.fixture
def chat(ann: EmulatedUser) -> EmulatedChat:
    """Ann's private chat with the bot."""
    return ann.private_chat()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at 2026-01-01 00:00 UTC, a Thursday."""
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "tgllm.db", clock=clock) as opened:
        yield opened


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """URL of a database on PostgreSQL with the schema and no content, for tests marked ``postgres``."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def empty_postgres_url() -> Iterator[str]:
    """URL of a database on PostgreSQL without tables, for tests marked ``postgres``."""
    with empty_database() as url:
        yield url


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """After the test, logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.fixture
def install_plugin(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes a plugin of that id and source; returns a folder for PYTHONPATH in which it is installed."""

    def install(plugin_id: str, source: str) -> str:
        folder, name = tmp_path / "site", f"tgllm_{plugin_id}"
        write_distribution(folder, name, {"tgllm": {plugin_id: name}}, {name: textwrap.dedent(source)})
        return str(folder)

    return install


@pytest.fixture
async def launch(emu: Emulator, tmp_path: Path, engine: Engine) -> AsyncIterator[Launch]:
    """Launches ``tgllm`` with a data folder of the test's own; what still runs at the end is killed."""
    programs: list[Program] = []

    async def start(*args: str, **variables: str) -> Program:
        data_dir = variables.get("TGLLM_DATA_DIR", str(tmp_path / "data"))
        environment = {
            **{name: value for name, value in os.environ.items() if name == VARIABLE or not name.startswith("TGLLM_")},
            "TGLLM_BOT_TOKEN": emu.token,
            "TGLLM_TELEGRAM_API": emu.base_url,
            "TGLLM_DATA_DIR": data_dir,
            **engine.variables(Path(data_dir)),
            "TGLLM_CONFIG": "",
            "TGLLM_SENDING__PACED": "false",
            "TGLLM_STREAMING__FIRST_DELAY": "0.01",
            "TGLLM_STREAMING__DRAFT_INTERVAL": "0.05",
            # A test that waits for the next message of the bot wants the answer.
            "TGLLM_ERRORS__NOTIFY": "false",
            **variables,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tgllm",
            *args,
            cwd=tmp_path,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        programs.append(Program(process))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.communicate()
