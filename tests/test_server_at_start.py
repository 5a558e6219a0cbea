"""The start of a bot whose database server is not there."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog

from tgllm.api.clock import SystemClock
from tgllm.api.errors import DatabaseError
from tgllm.app import enter_core
from tgllm.config.load import LoadedConfig, load_config
from tgllm.db.engine.place import Server

pytestmark = pytest.mark.postgres

AWAY = "postgresql://bot:hidden-word@127.0.0.1:1/tgllm"


def settings(tmp_path: Path, url: str) -> LoadedConfig:
    return load_config({"data_dir": str(tmp_path), "database.url": url}, environ={}, cwd=tmp_path)


async def test_a_server_that_is_away_is_waited_for(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(SystemClock):
        async def sleep(self, seconds: float) -> None:
            """The server comes back during the pause."""
            monkeypatch.setattr("tgllm.app.database_place", lambda _: Server(postgres_url))

    async with AsyncExitStack() as stack:
        with structlog.testing.capture_logs() as lines:
            core = await enter_core(stack, settings(tmp_path, AWAY), plugins=False, clock=Clock())

        assert core.database.is_server
        (closed,) = (line for line in lines if line["event"] == "storage.closed")
        assert closed["code"] == "database_away"
        assert "hidden-word" not in str(lines)


async def test_a_database_that_does_not_exist_ends_the_start(tmp_path: Path, postgres_url: str) -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(DatabaseError) as raised:
            await enter_core(stack, settings(tmp_path, f"{postgres_url}_missing"), plugins=False)
    assert raised.value.code == "database_refused"
