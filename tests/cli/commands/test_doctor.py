"""``tgllm doctor``: what is wrong, and what to do."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable

import pytest

from cli_support import Shell
from database_support import NOW
from program_support import Launch
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.sqlite import PRAGMAS
from tgllm.db.file.probe import PROBE_BYTES
from tgllm.services.common.reception import note_failing
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeMistral

ILL = """
from tgllm import hookimpl
from tgllm.api import AuthFailed, Check, PluginInfo, Provider, ProviderSpec

class Ill(Provider):
    async def list_models(self):
        raise AuthFailed("the key was refused")
    async def generate(self, request):
        yield None

class Well(Ill):
    async def list_models(self):
        return ()
    async def doctor(self):
        return (Check("Well: account", "ok", "5.00 USD left"),)

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="pair", title="Pair", api="1.0")

@hookimpl
def tgllm_providers():
    return [ProviderSpec("ill", "Ill", lambda ctx: Ill()), ProviderSpec("well", "Well", lambda ctx: Well())]
"""


@pytest.fixture(autouse=True)
def without_installed_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "gemini,mistral,dipseek,llm,local,openai,anthropic")


def states(shell: Shell, *args: str) -> dict[str, tuple[str, str]]:
    checks = json.loads(shell.runs("doctor", "--json", *args).out)
    return {check["name"]: (check["state"], check["detail"]) for check in checks}


def test_a_fresh_install_says_what_is_missing(shell: Shell) -> None:
    found = states(shell)
    assert found["Database"][0] == "ok"
    assert found["Bot token"][0] == "not configured"
    assert "tgllm init" in found["Bot token"][1]
    assert found["Admins"][0] == "warning"
    assert found["Provider echo"] == ("ok", "1 model")
    assert shell.runs("doctor").code == 0


def test_what_would_keep_the_bot_from_starting_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_REFRESH_CRON", "daily")
    monkeypatch.setenv("TGLLM_PLUGINS__ECHO__DELAY", "long")
    found = states(shell, "--offline")

    assert found["Config"][0] == "failed"
    assert "'daily' is no cron expression" in found["Config"][1]
    assert "delay" in found["Config"][1]
    assert shell.runs("doctor", "--offline").code == 1


def test_a_default_model_that_nobody_offers_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    state, detail = states(shell, "--offline")["Default model"]
    assert state == "warning"
    assert detail.startswith("Only the echo provider answers")
    monkeypatch.setenv("TGLLM_DEFAULT_MODEL", "ecko/echo")
    state, detail = states(shell, "--offline")["Default model"]

    assert state == "failed"
    assert "did you mean echo" in detail
    assert shell.runs("doctor", "--offline").code == 1


CHOOSY = """
from tgllm import hookimpl
from tgllm.api import ModelInfo, NotConfigured, PluginInfo, Provider, ProviderSpec

class Choosy(Provider):
    async def list_models(self):
        return [ModelInfo("small", aliases=("tiny",))]
    async def generate(self, request):
        yield None

def keyless(ctx):
    raise NotConfigured("Keyless has no key: set KEYLESS_KEY", variable="KEYLESS_KEY")

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="choosy", title="Choosy", api="1.0")

@hookimpl
def tgllm_providers():
    return [ProviderSpec("choosy", "Choosy", lambda ctx: Choosy()), ProviderSpec("keyless", "Keyless", keyless)]
"""


def test_a_default_model_without_a_key_fails(
    shell: Shell, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("choosy-plugin", CHOOSY, tgllm={"choosy": "choosy_plugin"})
    monkeypatch.setenv("TGLLM_DEFAULT_MODEL", "keyless/small")

    assert states(shell, "--offline")["Default model"] == (
        "failed", "keyless/small: Keyless has no key: set KEYLESS_KEY",
    )  # fmt: skip
    assert shell.runs("doctor", "--offline").code == 1


@pytest.mark.parametrize(("model", "failed"), [("small", False), ("tiny", False), ("smalll", True)])
def test_a_default_model_is_looked_up_in_the_list_that_the_provider_sends(
    shell: Shell, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch, model: str, failed: bool
) -> None:
    install("choosy-plugin", CHOOSY, tgllm={"choosy": "choosy_plugin"})
    monkeypatch.setenv("TGLLM_DEFAULT_MODEL", f"choosy/{model}")
    found = states(shell)

    assert found["Default model"] == ("ok", f"choosy/{model}")
    assert ("Default model listed" in found) == failed
    assert shell.runs("doctor").code == int(failed)
    if failed:
        assert "did you mean choosy/small?" in found["Default model listed"][1]


def test_echo_beside_a_provider_that_can_answer_is_a_warning(shell: Shell, install: Callable[..., None]) -> None:
    install("choosy-plugin", CHOOSY, tgllm={"choosy": "choosy_plugin"})
    state, detail = states(shell, "--offline")["Default model"]

    assert state == "warning"
    assert "Choosy" in detail


class TestTelegram:
    async def test_it_is_asked_for_the_bots_account(self, launch: Launch, emu: Emulator) -> None:
        code, printed = await (await launch("doctor", "--json")).end()

        assert code == 0, printed
        assert telegram(printed) == ("ok", f"the bot is @{emu.bot.username}")

    async def test_a_wrong_token_is_named_without_it(self, launch: Launch) -> None:
        code, printed = await (await launch("doctor", "--json", TGLLM_BOT_TOKEN="42:AA-a-wrong-token")).end()

        assert code == 1
        state, detail = telegram(printed)
        assert state == "failed"
        assert "Telegram does not know this bot token" in detail
        assert "TGLLM_BOT_TOKEN" in detail
        assert "a-wrong-token" not in printed

    async def test_a_server_out_of_reach(self, launch: Launch) -> None:
        code, printed = await (await launch("doctor", "--json", TGLLM_TELEGRAM_API="http://127.0.0.1:9")).end()

        assert code == 1
        state, words = telegram(printed)
        assert state == "failed"
        assert "the connection is refused (nothing listens there)" in words

    async def test_a_proxy_out_of_reach_is_named_without_its_password(self, launch: Launch) -> None:
        variables = {"TGLLM_TELEGRAM_API": "https://api.example.com", "https_proxy": "http://ann:hush@127.0.0.1:9"}
        code, printed = await (await launch("doctor", "--json", no_proxy="", NO_PROXY="", **variables)).end()

        assert code == 1
        state, words = telegram(printed)
        reason = "api.example.com:443 through the proxy http://127.0.0.1:9 (https_proxy): the proxy can't be reached"
        assert (state, words.partition(": the connection")[0]) == ("failed", reason)
        assert "hush" not in printed

    async def test_offline_it_is_not_asked(self, launch: Launch, emu: Emulator) -> None:
        code, printed = await (await launch("doctor", "--json", "--offline")).end()

        assert code == 0, printed
        assert telegram(printed) is None
        assert not emu.journal.of("getMe")

    def test_without_a_token_it_is_not_asked(self, shell: Shell) -> None:
        assert "Telegram" not in states(shell)


def test_missing_readers_of_files_are_told_with_their_command(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(shell, "--offline")["Files"] == ("ok", "what their readers need is installed")
    # The import system says that these are not installed.
    for name in ("pypdfium2", "PIL"):
        monkeypatch.setitem(sys.modules, name, None)

    assert states(shell, "--offline")["Files"] == (
        "warning",
        "some are not read, because of missing modules: PIL, pypdfium2 (install: pip install 'tgllm[files]')",
    )


def telegram(printed: str) -> tuple[str, str] | None:
    checks = {check["name"]: (check["state"], check["detail"]) for check in json.loads(printed)}
    return checks.get("Telegram")


def test_a_language_that_the_bot_does_not_speak_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(shell, "--offline")["Language"] == ("ok", "en")
    monkeypatch.setenv("TGLLM_LANGUAGE", "rus")
    state, detail = states(shell, "--offline")["Language"]

    assert state == "warning"
    assert detail == "the bot does not speak rus, and uses en; it speaks en, ru"
    monkeypatch.setenv("TGLLM_LANGUAGE", "ru-RU")
    assert states(shell, "--offline")["Language"] == ("ok", "ru-RU")


def test_a_provider_that_fails_is_told_and_the_others_are_asked(shell: Shell, install: Callable[..., None]) -> None:
    install("pair-plugin", ILL, tgllm={"pair": "pair_plugin"})
    found = states(shell)
    assert found["Provider ill"] == ("failed", "the key was refused")
    assert found["Provider well"] == ("ok", "0 models")
    assert found["Well: account"] == ("ok", "5.00 USD left")
    assert shell.runs("doctor").code == 1


ODD = """
from tgllm import hookimpl
from tgllm.api import Check, PluginInfo, Provider, ProviderSpec

class Odd(Provider):
    async def list_models(self):
        raise LookupError("no list")
    async def generate(self, request):
        yield None

class Strange(Odd):
    async def list_models(self):
        return ()
    async def doctor(self):
        return [Check("Strange: account", "fail")]

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="odd", title="Odd", api="1.0")

@hookimpl
def tgllm_providers():
    return [ProviderSpec("odd", "Odd", lambda ctx: Odd()), ProviderSpec("strange", "Strange", lambda ctx: Strange())]
"""


def test_a_mistake_in_a_plugin_is_told_by_what_it_is(shell: Shell, install: Callable[..., None]) -> None:
    install("odd-plugin", ODD, tgllm={"odd": "odd_plugin"})
    found = states(shell)
    assert found["Provider odd"] == ("failed", "a mistake in its plugin: LookupError: no list")
    state, detail = found["Provider strange"]
    assert state == "failed"
    assert "the state of Strange: account is 'fail'" in detail


def test_offline_no_provider_is_asked(shell: Shell, install: Callable[..., None]) -> None:
    install("pair-plugin", ILL, tgllm={"pair": "pair_plugin"})
    assert "Provider ill" not in states(shell, "--offline")
    assert shell.runs("doctor", "--offline").code == 0


@pytest.mark.parametrize(
    ("variable", "value", "state", "detail"),
    [
        ("https_proxy", "http://user:hush@p:3128", "ok", "http://p:3128 (https_proxy)"),
        ("all_proxy", "socks5h://user:hush@p:1080", "warning", "all_proxy is a SOCKS proxy"),
        ("https_proxy", "http://user:hush@p:port", "warning", "https_proxy is not a valid address of a proxy"),
        ("no_proxy", "::1", "ok", "none"),
    ],
)
def test_the_proxy_of_telegram_is_shown_without_its_password(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, state: str, detail: str
) -> None:
    for name in ("https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv(variable, value)

    found = states(shell, "--offline")["Telegram: proxy"]

    assert found[0] == state
    assert detail in found[1]
    assert "hush" not in shell.runs("doctor", "--offline").out


def test_a_key_that_is_missing_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "gemini,mistral")
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    found = states(shell)
    assert found["Dipseek: key"][0] == "not configured"
    assert "DEEPSEEK_API_KEY" in found["Dipseek: key"][1]


MUTE = """
from pathlib import Path
from tgllm import hookimpl
from tgllm.api import PluginInfo

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="mute", title="Mute", api="1.0", texts=Path(__file__).parent / "nowhere")
"""


def test_texts_that_are_not_there_are_a_warning(shell: Shell, install: Callable[..., None]) -> None:
    install("mute-plugin", MUTE, tgllm={"mute": "mute_plugin"})
    state, detail = states(shell)["Plugin mute"]
    assert state == "warning"
    assert "en.toml" in detail
    assert "en.toml" in shell.runs("plugins", "list").out


def test_a_missing_client_of_sentry_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Sentry" not in states(shell, "--offline")

    monkeypatch.setenv("SENTRY_DSN", "https://0123456789abcdef@sentry.example/1")
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    state, detail = states(shell, "--offline")["Sentry"]
    assert (state, "pip install 'tgllm[sentry]'" in detail) == ("failed", True)


def test_files_that_others_can_read_are_told(shell: Shell) -> None:
    shell.runs("db", "init")
    shell.folder.chmod(0o700)
    shell.data_dir.chmod(0o755)
    found = {check["name"]: check for check in json.loads(shell.runs("doctor", "--offline", "--json").out)}

    assert found["Permissions"]["state"] == "warning"
    assert f"chmod o-rwx {shell.data_dir}" in found["Permissions"]["detail"]

    shell.data_dir.chmod(0o700)
    found = {check["name"]: check for check in json.loads(shell.runs("doctor", "--offline", "--json").out)}
    assert (found["Permissions"]["state"], found["Permissions"]["detail"]) == ("ok", "")


def test_a_full_database_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with shell.new_database() as conn:
        pages = conn.execute("PRAGMA page_count").fetchone()[0]
    with monkeypatch.context() as patch:
        patch.setattr("tgllm.db.engine.sqlite.PRAGMAS", (*PRAGMAS, f"PRAGMA max_page_count = {pages}"))
        state, detail = states(shell, "--offline")["Database"]
        assert state == "failed"
        assert detail.startswith("The disk is full")
        assert shell.runs("doctor", "--offline").code == 1
    assert states(shell, "--offline")["Database"] == ("ok", f"{shell.data_dir / 'tgllm.db'}, written and read back")


def test_a_full_disk_is_told_and_nothing_is_left(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    states(shell, "--offline")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    state, detail = states(shell, "--offline")["Data folder"]
    assert state == "failed"
    assert detail.startswith("The disk is full")
    assert not list(shell.data_dir.glob(".tgllm-probe-*"))


def test_a_nearly_full_disk_is_a_warning(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgllm.services.maintenance.storage_check.free_bytes", lambda _folder: 3 * 2**20)
    assert states(shell, "--offline")["Data folder"][0] == "warning"
    assert shell.runs("doctor", "--offline").code == 0


def test_a_build_of_sqlite_without_full_text_search_is_a_warning(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(shell, "--offline")["Full-text search"] == ("ok", f"SQLite {sqlite3.sqlite_version} with FTS5")
    monkeypatch.setattr("tgllm.services.maintenance.storage_check.has_full_text", lambda _: False)
    state, detail = states(shell, "--offline")["Full-text search"]
    assert state == "warning"
    assert "Use a Python whose SQLite has FTS5" in detail
    assert shell.runs("doctor", "--offline").code == 0


def test_the_limit_of_a_process_on_the_size_of_files_is_told(shell: Shell) -> None:
    states(shell, "--offline")
    size = (shell.data_dir / "tgllm.db").stat().st_size
    limited = (
        f"import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({PROBE_BYTES // 2}, {size})); "
        "from tgllm.cli.main import main; sys.exit(main(['doctor', '--offline', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited],
        env={**os.environ, "TGLLM_DATA_DIR": str(shell.data_dir), "TGLLM_CONFIG": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    checks = {check["name"]: check["state"] for check in json.loads(done.stdout)}
    assert (checks["Database"], checks["Data folder"], done.returncode) == ("failed", "failed", 1)


def test_settings_that_can_t_be_loaded_are_a_failed_check(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_TURNS__ATTEMPTS", "many")
    result = shell.runs("doctor", "--json")
    found = {check["name"]: check for check in json.loads(result.out)}

    assert result.code == 2
    assert found["Config"]["state"] == "failed"
    assert "TGLLM_TURNS__ATTEMPTS" in found["Config"]["detail"]
    assert "TGLLM_TURNS__ATTEMPTS" in result.err
    assert found["Python"]["state"] == "ok"


def test_without_a_usable_database_the_rest_is_checked(shell: Shell) -> None:
    shell.data_dir.mkdir()
    (shell.data_dir / "tgllm.db").write_bytes(b"no database" * 1000)
    result = shell.runs("doctor", "--offline", "--json")
    found = {check["name"]: check for check in json.loads(result.out)}

    assert result.code == 1
    assert found["Database"]["state"] == "failed"
    assert str(shell.data_dir / "tgllm.db") in result.err
    assert {"Disk", "File system", "Bot", "Python", "Permissions"} <= found.keys()


def test_a_running_bot_that_receives_nothing_fails(shell: Shell) -> None:
    with shell.new_database() as conn:
        note_failing(conn, NOW, "Telegram can't be reached")
        conn.commit()
    assert "Reception" not in states(shell, "--offline")
    with lock_data_folder(shell.data_dir):
        found = states(shell, "--offline")

    assert found["Bot"] == ("ok", "it runs on this data folder")
    assert found["Reception"][0] == "failed"
    assert "Telegram can't be reached" in found["Reception"][1]


async def test_the_way_to_telegram_and_to_each_provider_is_checked(
    launch: Launch, emu: Emulator, ann: EmulatedUser
) -> None:
    ann.private_chat()
    async with FakeMistral() as mistral:
        program = await launch(
            "doctor", "--json", MISTRAL_API_KEY=mistral.key, TGLLM_PLUGINS__MISTRAL__BASE_URL=mistral.base_url,
            TGLLM_DISABLE_PLUGINS="gemini,dipseek,llm,local,openai,anthropic,whisper", TGLLM_ADMIN_IDS=str(ann.id),
        )  # fmt: skip
        code, printed = await program.end()
    found = {check["name"]: (check["state"], check["detail"]) for check in json.loads(printed)}

    assert code == 0, printed
    assert found["Network: Telegram"][0] == "ok"
    assert str(emu.port) in found["Network: Telegram"][1]
    assert found["Network: Mistral"][0] == "ok"
    assert found["Clock"][0] == "ok"
    assert found["Telegram: updates"][0] == "ok"
    assert found["Telegram: admins"] == ("ok", "")
    assert mistral.key not in printed
    assert emu.token not in printed
