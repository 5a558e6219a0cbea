"""``tgllm ping`` and ``tgllm --ping``: whether the bot could run."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest

from cli_support import Result, Shell
from tgllm.api.clock import SystemClock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine import sqlite as engine
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.file.probe import PROBE_BYTES
from tgllm.services.common.reception import note_failing


@pytest.fixture(params=["ping", "--ping"])
def ping(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_BOT_TOKEN", "42:TEST")


ONLY_ECHO = "tgllm: Only the echo provider answers, which repeats what it is told. "


def warnings(result: Result) -> list[str]:
    """The warnings, but for that the echo provider answers."""
    return [line for line in result.err.splitlines() if not line.startswith(ONLY_ECHO)]


@pytest.mark.usefixtures("token")
def test_all_is_well(shell: Shell, ping: str) -> None:
    result = shell.runs(ping)

    assert (result.code, result.out, warnings(result)) == (0, "Bot ready\n", [])
    assert (shell.data_dir / "tgllm.db").is_file()


def test_without_a_token(shell: Shell, ping: str) -> None:
    result = shell.runs(ping)

    assert (result.code, result.out) == (0, "Bot ready (no token yet: run tgllm init)\n")


@pytest.mark.usefixtures("token")
def test_a_broken_plugin_is_a_warning(shell: Shell, ping: str, install: Callable[..., None]) -> None:
    install("tgllm-broken", "raise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    result = shell.runs(ping)

    assert (result.code, result.out) == (0, "Bot ready\n")
    (line,) = warnings(result)
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

    assert warnings(shell.runs(ping, "--no-plugins")) == []


def test_settings_for_a_plugin_that_is_not_there_are_a_warning(
    shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGLLM_PLUGINS__GEMNI__API_KEY", "x")
    result = shell.runs(ping)

    assert result.code == 0
    assert warnings(result) == ["tgllm: There are settings for a plugin gemni, but no such plugin is installed."]


@pytest.mark.usefixtures("token")
def test_a_plugin_that_is_disabled_and_not_there_is_a_warning(
    shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "ehco,basics")
    result = shell.runs(ping)

    assert (result.code, result.out) == (0, "Bot ready\n")
    assert warnings(result) == [
        "tgllm: disable_plugins names ehco, but no such plugin is installed (did you mean echo?)."
    ]


KEYED = """
from pydantic import BaseModel
from tgllm import hookimpl
from tgllm.api import ModelInfo, NotConfigured, PluginInfo, Provider, ProviderSpec

class Settings(BaseModel):
    api_key: str | None = None

class Keyed(Provider):
    async def list_models(self):
        return [ModelInfo("small", aliases=("tiny",))]
    async def generate(self, request):
        yield None

def create(ctx):
    if ctx.settings.api_key is None:
        raise NotConfigured("Keyed has no key: set KEYED_KEY", variable="KEYED_KEY")
    return Keyed()

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="keyed", title="Keyed", api="1.0", settings=Settings, env={"api_key": "KEYED_KEY"})

@hookimpl
def tgllm_providers():
    return [ProviderSpec("keyed", "Keyed models", create)]
"""


@pytest.fixture
def keyed(install: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that needs a key, beside no other."""
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "gemini,mistral,dipseek,llm,local,openai,anthropic")
    install("tgllm-keyed", KEYED, tgllm={"keyed": "tgllm_keyed"})


class TestDefaultModel:
    @pytest.fixture(autouse=True)
    def beside_no_other(self, keyed: None) -> None:
        """Only the provider with a key."""

    def test_that_only_echo_answers_is_one_line_with_the_variable(self, shell: Shell, ping: str) -> None:
        result = shell.runs(ping)

        assert result.code == 0
        (line,) = result.err.splitlines()
        assert line.startswith(ONLY_ECHO)
        assert "KEYED_KEY" in line
        assert "tgllm models default" in line

    def test_without_any_provider_it_says_what_to_install(self, shell: Shell, ping: str) -> None:
        (line,) = shell.runs(ping, "--no-plugins").err.splitlines()

        assert "Install a provider, such as tgllm-gemini" in line

    def test_echo_beside_a_provider_with_a_key(self, shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KEYED_KEY", "k")
        (line,) = shell.runs(ping).err.splitlines()

        assert "The default_model is echo/echo" in line
        assert "Keyed models" in line

    @pytest.mark.parametrize(
        ("model", "told"),
        [
            ("keyed/small", "Keyed has no key: set KEYED_KEY"),
            ("kyed/small", "did you mean keyed?"),
            ("none/small", "no provider is called 'none'"),
        ],
    )
    def test_a_default_model_that_cannot_answer(
        self, shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch, model: str, told: str
    ) -> None:
        monkeypatch.setenv("TGLLM_DEFAULT_MODEL", model)
        result = shell.runs(ping)

        assert result.code == 0
        (line,) = result.err.splitlines()
        assert line.startswith(f"tgllm: The default_model {model} can't answer: ")
        assert told in line

    @pytest.mark.parametrize(("model", "told"), [("smal", "did you mean keyed/small?"), ("small", ""), ("tiny", "")])
    def test_a_default_model_beside_the_list_of_its_provider(
        self, shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch, model: str, told: str
    ) -> None:
        monkeypatch.setenv("KEYED_KEY", "k")
        monkeypatch.setenv("TGLLM_DEFAULT_MODEL", f"keyed/{model}")
        assert shell.runs(ping).err == ""
        assert shell.runs("models", "sync").code == 0

        lines = shell.runs(ping).err.splitlines()

        assert [told in line for line in lines] == ([True] if told else [])

    def test_the_default_that_an_admin_chose_counts(
        self, shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KEYED_KEY", "k")
        assert shell.runs("models", "sync").code == 0
        assert shell.runs("models", "default", "keyed/small").code == 0

        assert shell.runs(ping).err == ""

        monkeypatch.delenv("KEYED_KEY")
        assert "The default_model keyed/small can't answer: Keyed has no key" in shell.runs(ping).err


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


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("command", ["ping", "doctor"])
def test_a_proxy_that_keeps_all_providers_from_starting_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in ("https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush@host:port")
    for key in ("DEEPSEEK_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.setenv(key, "sk-0123456789abcdef")

    result = shell.runs(command, *(["--offline"] if command == "doctor" else []))

    told = " The other providers can't start: HTTPS_PROXY is not a valid address of a proxy"
    assert f"{ONLY_ECHO[len('tgllm: ') : -1]}{told}" in result.err + result.out
    assert "hush" not in result.err + result.out


@pytest.fixture
def full_disk(shell: Shell, ping: str) -> Generator[None]:
    """A limit on the size of files, which has the same end as a full disk."""
    assert shell.runs(ping).code == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PROBE_BYTES // 2, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("token", "full_disk")
def test_a_full_disk_is_named(shell: Shell, ping: str) -> None:
    result = shell.runs(ping)

    assert (result.code, result.out) == (1, "")
    assert "The disk is full" in result.err


@pytest.mark.usefixtures("token")
def test_a_lock_of_another_program_is_named(shell: Shell, ping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shell.runs(ping).code == 0
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.01)
    with closing(sqlite3.connect(shell.data_dir / "tgllm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = shell.runs(ping)

    assert (result.code, result.out) == (1, "")
    assert "locked by another process" in result.err


@pytest.mark.usefixtures("token")
def test_it_changes_nothing_that_a_running_bot_would_react_to(shell: Shell, ping: str) -> None:
    assert shell.runs(ping).code == 0
    with closing(sqlite3.connect(shell.data_dir / "tgllm.db")) as other:
        before = other.execute("PRAGMA data_version").fetchone()
        assert shell.runs(ping).code == 0
        assert other.execute("PRAGMA data_version").fetchone() == before
