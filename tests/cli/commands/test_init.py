"""``tgllm init``: a few questions, one file."""

import io
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_support import Shell
from tgllm.config.load import load_config

TOKEN = "123456:" + "A" * 35

KEYED = """
from pydantic import BaseModel, SecretStr
from tgllm import hookimpl
from tgllm.api import PluginInfo, ProviderSpec

class Settings(BaseModel):
    api_key: SecretStr | None = None

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="keyed", title="Keyed", api="1.0", settings=Settings, env={"api_key": "KEYED_API_KEY"})

@hookimpl
def tgllm_providers():
    return [ProviderSpec("keyed", "Keyed models", lambda ctx: None)]
"""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def give(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return give


@pytest.fixture
def path(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = home / "etc" / "tgllm.toml"
    monkeypatch.setenv("TGLLM_CONFIG", str(found))
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "gemini,mistral,dipseek,local")
    return found


def test_it_writes_a_file_that_the_bot_can_read_and_nobody_else(
    shell: Shell, path: Path, answers: Callable[..., None]
) -> None:
    answers(TOKEN, "12 34")
    monkey = shell.runs("init")
    assert monkey.code == 0, monkey.err
    assert str(path) in monkey.out
    assert TOKEN not in monkey.out + monkey.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = load_config(config_path=path, environ={}).config
    assert config.bot_token is not None
    assert config.bot_token.get_secret_value() == TOKEN
    assert config.admin_ids == (12, 34)


def test_without_a_provider_it_says_that_only_echo_answers(
    shell: Shell, path: Path, answers: Callable[..., None]
) -> None:
    answers(TOKEN, "12")
    (line,) = (
        line for line in shell.runs("init").out.splitlines() if line.startswith("Only the echo provider answers")
    )

    assert "Install a provider" in line


@pytest.mark.parametrize(("key", "told"), [("", "Only the echo provider answers"), ("k", "these can answer: Keyed")])
def test_with_a_key_it_says_that_a_model_is_to_be_chosen(
    shell: Shell, path: Path, answers: Callable[..., None], install: Callable[..., None], key: str, told: str
) -> None:
    install("keyed-plugin", KEYED, tgllm={"keyed": "keyed_plugin"})
    answers(TOKEN, "12", key)

    assert told in shell.runs("init").out


def test_a_wrong_answer_is_asked_again(shell: Shell, path: Path, answers: Callable[..., None]) -> None:
    answers("nonsense", TOKEN, "@ann", "12")
    result = shell.runs("init")
    assert result.code == 0, result.err
    assert "BotFather" in result.err
    assert "@ann" in result.err
    assert tomllib.loads(path.read_text())["admin_ids"] == [12]


def test_keys_are_asked_for_the_providers_that_take_one(
    shell: Shell, path: Path, answers: Callable[..., None], install: Callable[..., None]
) -> None:
    install("keyed-plugin", KEYED, tgllm={"keyed": "keyed_plugin"})
    answers(TOKEN, "12", 'a "key" \\ with ü 😀')
    result = shell.runs("init")
    assert result.code == 0, result.err
    assert "Keyed models" in result.out
    assert tomllib.loads(path.read_text())["plugins"] == {"keyed": {"api_key": 'a "key" \\ with ü 😀'}}


def test_a_file_that_is_there_is_left_alone_unless_it_is_to_be_replaced(
    shell: Shell, path: Path, answers: Callable[..., None]
) -> None:
    path.parent.mkdir()
    path.write_text("# mine")
    answers(TOKEN, "12")
    result = shell.runs("init")
    assert result.code == 2
    assert "--force" in result.err
    assert path.read_text() == "# mine"
    answers(TOKEN, "12")
    assert shell.runs("init", "--force").code == 0
    assert "mine" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_input_that_ends_early_writes_nothing(shell: Shell, path: Path, answers: Callable[..., None]) -> None:
    answers(TOKEN)
    assert shell.runs("init").code == 1
    assert not path.exists()


def test_a_broken_file_can_be_replaced(shell: Shell, path: Path, answers: Callable[..., None]) -> None:
    path.parent.mkdir()
    path.write_text("not toml")
    answers(TOKEN, "12")
    result = shell.runs("init", "--force")
    assert result.code == 0, result.err
    assert tomllib.loads(path.read_text())["bot_token"] == TOKEN


@pytest.mark.parametrize("other", [False, True])
def test_keys_of_a_file_that_the_bot_will_not_read_are_asked_for(
    shell: Shell,
    path: Path,
    answers: Callable[..., None],
    install: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    other: bool,
) -> None:
    install("keyed-plugin", KEYED, tgllm={"keyed": "keyed_plugin"})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parent))
    usual = path.parent / "tgllm" / "config.toml"
    usual.parent.mkdir(parents=True)
    usual.write_text("[plugins.keyed]\napi_key = 'old'\n")
    monkeypatch.delenv("TGLLM_CONFIG")
    answers(TOKEN, "12", " new ")
    result = shell.runs("init", *(["--config", str(path)] if other else ["--force"]))
    assert result.code == 0, result.err
    assert tomllib.loads((path if other else usual).read_text())["plugins"] == {"keyed": {"api_key": "new"}}


def test_the_file_that_a_dotenv_names_is_written(
    shell: Shell, path: Path, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TGLLM_CONFIG")
    (shell.folder / ".env").write_text(f"TGLLM_CONFIG={path}\n")
    answers(TOKEN, "12")
    result = shell.runs("init")
    assert result.code == 0, result.err
    assert path.is_file()
    assert result.out.endswith("tgllm run\n")


def test_wrong_settings_in_the_environment_are_told_before_anything_is_asked(
    shell: Shell, path: Path, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGLLM_ADMIN_ID", "1")
    answers(TOKEN, "12")
    result = shell.runs("init")
    assert (result.code, result.out) == (2, "")
    assert "TGLLM_ADMIN_IDS?" in result.err


def test_a_key_that_no_file_can_hold_is_asked_again(
    shell: Shell, path: Path, answers: Callable[..., None], install: Callable[..., None]
) -> None:
    install("keyed-plugin", KEYED, tgllm={"keyed": "keyed_plugin"})
    answers(TOKEN, "12", "a\udce4b", "a\x1bb", "key")
    result = shell.runs("init")
    assert result.code == 0, result.err
    assert tomllib.loads(path.read_text())["plugins"] == {"keyed": {"api_key": "key"}}


def test_what_is_to_be_called_next_can_be_copied(shell: Shell, path: Path, answers: Callable[..., None]) -> None:
    answers(TOKEN, "12")
    result = shell.runs("init", "--config", str(shell.folder / "my bot.toml"))
    assert result.out.endswith(f"tgllm run --config '{shell.folder / 'my bot.toml'}'\n")
