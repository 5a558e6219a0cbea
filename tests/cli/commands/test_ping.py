"""``tgllm ping`` and ``tgllm --ping``: whether the bot could run."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_support import Shell
from tgllm.api.clock import SystemClock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.lock import lock_data_folder
from tgllm.services.common.reception import note_failing


@pytest.fixture(params=["ping", "--ping"])
def ping(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_BOT_TOKEN", "42:TEST")


@pytest.mark.usefixtures("token")
def test_all_is_well(shell: Shell, ping: str) -> None:
    result = shell.runs(ping)

    assert (result.code, result.out, result.err) == (0, "Bot ready\n", "")
    assert (shell.data_dir / "tgllm.db").is_file()


def test_without_a_token(shell: Shell, ping: str) -> None:
    result = shell.runs(ping)

    assert (result.code, result.out) == (0, "Bot ready (no token yet: run tgllm init)\n")


@pytest.mark.usefixtures("token")
def test_a_broken_plugin_is_a_warning(shell: Shell, ping: str, install: Callable[..., None]) -> None:
    install("tgllm-broken", "raise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    result = shell.runs(ping)

    assert (result.code, result.out) == (0, "Bot ready\n")
    (line,) = result.err.splitlines()
    assert line.startswith("tgllm: Plugin broken does not work: ")
    assert "boom" in line


@pytest.mark.usefixtures("token")
def test_without_plugins_a_broken_one_is_not_looked_at(shell: Shell, ping: str, install: Callable[..., None]) -> None:
    install("tgllm-broken", "raise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    result = shell.runs(ping, "--no-plugins")

    assert (result.code, result.out) == (0, "Bot ready\n")
    assert "boom" not in result.err


def test_settings_for_a_plugin_that_is_left_out_are_no_warning(
    shell: Shell, ping: str, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("tgllm-broken", "raise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    monkeypatch.setenv("TGLLM_PLUGINS__BROKEN__API_KEY", "x")

    assert shell.runs(ping, "--no-plugins").err == ""


def test_settings_for_a_plugin_that_is_not_there_are_a_warning(
    shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGLLM_PLUGINS__GEMNI__API_KEY", "x")
    result = shell.runs(ping)

    assert result.code == 0
    assert result.err == "tgllm: There are settings for a plugin gemni, but no such plugin is installed.\n"


@pytest.mark.usefixtures("token")
def test_a_plugin_that_is_disabled_and_not_there_is_a_warning(
    shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "ehco,basics")
    result = shell.runs(ping)

    assert (result.code, result.out) == (0, "Bot ready\n")
    assert result.err == ("tgllm: disable_plugins names ehco, but no such plugin is installed (did you mean echo?).\n")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TGLLM_ADMIN_ID", "1", "did you mean TGLLM_ADMIN_IDS?"),
        ("TGLLM_BOT_TOKEN", "nonsense", "must be a bot token"),
        ("TGLLM_PLUGINS__ECHO__NO_SUCH", "1", "plugins.echo.no_such"),
        ("TGLLM_CONFIG", "/no/such/file", "there is no file /no/such/file"),
        ("REFRESH_CRON", "daily", "refresh_cron (REFRESH_CRON): 'daily' is no cron expression"),
    ],
)
def test_wrong_settings(
    shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    result = shell.runs(ping)

    assert (result.code, result.out) == (1, "")
    assert told in result.err
    assert "Traceback" not in result.err


def test_a_broken_database(shell: Shell, ping: str) -> None:
    shell.data_dir.mkdir()
    (shell.data_dir / "tgllm.db").write_bytes(b"no database" * 1000)
    result = shell.runs(ping)

    assert (result.code, result.out) == (1, "")
    assert "tgllm.db" in result.err
    assert "Traceback" not in result.err


@pytest.mark.usefixtures("token")
def test_a_running_bot_that_receives_nothing_is_not_ready(shell: Shell, ping: str) -> None:
    assert shell.runs(ping).code == 0

    async def fail_since(minutes: int) -> None:
        async with await Database.open(shell.data_dir / "tgllm.db") as database:
            since = milliseconds(SystemClock()) - minutes * 60_000
            await database.write(lambda conn: note_failing(conn, since, "Telegram can't be reached"))

    asyncio.run(fail_since(3))
    assert shell.runs(ping).code == 0, "no bot runs"
    with lock_data_folder(shell.data_dir):
        result = shell.runs(ping)
    assert (result.code, result.out) == (1, "")
    assert "nothing from Telegram for 3 minutes: Telegram can't be reached" in result.err
    asyncio.run(fail_since(0))
    with lock_data_folder(shell.data_dir):
        assert shell.runs(ping).code == 0, "a short failure is common"
