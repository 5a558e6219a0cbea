"""``tgllm run``: what it checks before the bot is started, and how it ends. The bot itself has tests of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli_support import Shell, Terminal
from tgllm.api.errors import ConfigError, DatabaseError
from tgllm.plugins.loading.breadcrumbs import Breadcrumbs

if TYPE_CHECKING:
    from tgllm.config.load import LoadedConfig


@dataclass
class Bot:
    """Stands in for the bot."""

    ends_with: int | Exception = 0
    loaded: "LoadedConfig | None" = None
    plugins: bool | None = None

    def run(self, loaded: "LoadedConfig", *, plugins: bool = True) -> int:
        self.loaded, self.plugins = loaded, plugins
        if isinstance(self.ends_with, Exception):
            raise self.ends_with
        return self.ends_with


@pytest.fixture
def bot(home: Path, monkeypatch: pytest.MonkeyPatch) -> Bot:
    bot = Bot()
    monkeypatch.setattr("tgllm.program.run_bot", bot.run)
    monkeypatch.setenv("TGLLM_BOT_TOKEN", "42:TEST")
    return bot


def test_the_bot_gets_the_settings(shell: Shell, bot: Bot) -> None:
    assert shell.runs("run").code == 0
    assert bot.loaded is not None
    assert bot.loaded.config.data_dir == shell.data_dir
    assert bot.plugins is True


def test_without_plugins(shell: Shell, bot: Bot) -> None:
    assert shell.runs("run", "--no-plugins").code == 0
    assert bot.plugins is False


@pytest.mark.parametrize(
    ("flag", "url"),
    [("https://bot.example.org/hook", "https://bot.example.org/hook"), ("off", None)],
)
def test_the_webhook_of_the_flag_counts_more_than_the_environment(
    shell: Shell, bot: Bot, monkeypatch: pytest.MonkeyPatch, flag: str, url: str | None
) -> None:
    monkeypatch.setenv("TGLLM_WEBHOOK__URL", "https://other.example.org")
    assert shell.runs("run", "--webhook", flag).code == 0
    assert bot.loaded is not None
    assert bot.loaded.config.webhook.url == url


def test_a_webhook_that_telegram_refuses_is_named(shell: Shell, bot: Bot) -> None:
    result = shell.runs("run", "--webhook", "http://bot.example.org")

    assert result.code == 2
    assert "must begin with https://" in result.err
    assert bot.loaded is None


@pytest.mark.parametrize(
    ("end", "code"), [(0, 0), (3, 3), (DatabaseError("disk full"), 1), (ConfigError("wrong"), 2), (KeyError("x"), 1)]
)
def test_exit_codes(shell: Shell, bot: Bot, end: int | Exception, code: int) -> None:
    bot.ends_with = end
    result = shell.runs("run")

    assert result.code == code
    assert (result.err != "") == isinstance(end, Exception)
    assert "Traceback" not in result.err


def test_without_a_token_nothing_is_started(shell: Shell, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TGLLM_BOT_TOKEN")
    result = shell.runs("run")

    assert result.code == 2
    assert "TGLLM_BOT_TOKEN" in result.err
    assert bot.loaded is None


def test_wrong_settings(shell: Shell, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_ADMIN_ID", "1")
    result = shell.runs("run")

    assert (result.code, result.err) == (
        2,
        "tgllm: environment: unknown variable TGLLM_ADMIN_ID; did you mean TGLLM_ADMIN_IDS?\n",
    )
    assert bot.loaded is None


@pytest.mark.parametrize(("answer", "left"), [("\n", True), ("n\n", False)])
def test_in_a_terminal_a_person_says_what_becomes_of_a_plugin_that_ended_a_start(
    shell: Shell, bot: Bot, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch, answer: str, left: bool
) -> None:
    install("tgllm-deadly", "", tgllm={"deadly": "tgllm_deadly"})
    death = {"plugin_id": "deadly", "package": "tgllm-deadly", "version": "1.2.3", "times": 1}
    shell.data_dir.mkdir(exist_ok=True)
    (shell.data_dir / "loading.99").write_text(json.dumps(death))
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())
    result = shell.runs("run")
    assert result.code == 0
    assert "while the plugin deadly (tgllm-deadly) was loaded. Leave it out? [Y/n]" in result.out
    deaths = Breadcrumbs(shell.data_dir).deaths()
    assert [death.is_left_out for death in deaths.values()] == ([True] if left else [])
