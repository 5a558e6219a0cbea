"""``tgllm config``."""

import io
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli_support import Shell
from config_support import TOKEN
from tgllm.config.password_hash import PasswordHash


def shown(shell: Shell, *args: str) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in shell.reads("config", "show", "--json", *args, hints=True)}


class TestPath:
    def test_of_a_named_file(self, shell: Shell) -> None:
        path = shell.writes_config("")
        result = shell.runs("config", "path", "--config", str(path))

        assert (result.code, result.out, result.err) == (0, f"{path}\n", "")

    def test_where_none_is_there_says_so(self, shell: Shell) -> None:
        result = shell.runs("config", "path")

        assert result.code == 0
        assert result.out.endswith("tgllm/config.toml\n")
        assert "no file there" in result.err

    def test_of_a_broken_file(self, shell: Shell) -> None:
        path = shell.writes_config("not toml at all")

        assert shell.runs("config", "path", "--config", str(path)).out == f"{path}\n"


class TestShow:
    def test_each_value_with_its_source(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("admin_ids = [7]\n[turns]\nattempts = 3")
        (shell.folder / ".env").write_text("TGLLM_LANGUAGE=ru")
        monkeypatch.setenv("TGLLM_LOG__LEVEL", "debug")
        settings = shown(shell, "--config", str(path))

        assert (settings["admin_ids"]["value"], settings["admin_ids"]["source"]) == ([7], f"{path} (admin_ids)")
        assert settings["turns.attempts"]["value"] == 3
        assert settings["language"]["source"] == f"{shell.folder / '.env'} (TGLLM_LANGUAGE)"
        assert settings["log.level"]["source"] == "environment variable TGLLM_LOG__LEVEL"
        assert settings["log.format"]["source"] == "default"
        assert settings["admin_chat_id"]["value"] is None

    def test_tables_as_programs_and_people_read_them(self, shell: Shell) -> None:
        path = shell.writes_config(
            "[prices.'a/b']\ninput = 1\noutput = 2.5\n[personas.poet]\nsystem = 'Про /bot42:SECRET/x'\n"
            "[budgets.bot]\ntokens_per_day = 9\n[budgets.roles.user]\nusd_per_day = 1"
        )
        settings = shown(shell, "--config", str(path))

        assert settings["prices"]["value"] == [{"model": "a/b", "input": 1.0, "output": 2.5}]
        assert settings["personas"]["value"] == [{"name": "poet", "system": "Про /bot[hidden]/x"}]
        assert settings["budgets.bot"]["value"] == {"tokens_per_day": 9}
        assert settings["budgets.roles"]["value"] == [{"role": "user", "limits": {"usd_per_day": 1.0}}]
        lines = shell.runs("config", "show", "--config", str(path)).out.splitlines()
        assert f'personas\t[{{"name": "poet", "system": "Про /bot[hidden]/x"}}]\t{path} (personas)' in lines

    def test_every_setting_is_described(self, shell: Shell) -> None:
        assert all(item["description"].endswith(".") for item in shown(shell).values())

    @pytest.mark.parametrize("form", [[], ["--json"]])
    def test_secrets_stay_hidden(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, form: list[str]) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", TOKEN)
        monkeypatch.setenv("TGLLM_PLUGINS__GEMINI__API_KEY", "sesame")
        monkeypatch.setenv("TGLLM_TELEGRAM_API", "http://user:sesame@127.0.0.1:1")
        result = shell.runs("config", "show", *form)

        assert result.code == 0
        assert TOKEN not in result.out
        assert "sesame" not in result.out
        assert result.out.count("set (hidden)") == 2
        assert "plugins.gemini.api_key" in result.out
        assert "environment variable TGLLM_PLUGINS__GEMINI__API_KEY" in result.out

    def test_lines_for_a_pipe_are_never_cut(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_SYSTEM_PROMPT", "word " * 100)
        monkeypatch.setenv("COLUMNS", "40")
        lines = shell.runs("config", "show").out.splitlines()

        assert lines[0] == "Setting\tValue\tSource"
        assert f"system_prompt\t{'word ' * 99}word\tenvironment variable TGLLM_SYSTEM_PROMPT" in lines


class TestCheck:
    def test_right_settings(self, shell: Shell) -> None:
        result = shell.runs("config", "check")

        assert (result.code, result.out) == (0, "The settings are valid.\n")

    def test_a_default_model_that_nobody_offers_is_a_warning(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_DEFAULT_MODEL", "ecko/echo")
        result = shell.runs("config", "check")

        assert result.code == 0
        assert "default_model ecko/echo" in result.err
        assert "did you mean echo" in result.err

    def test_wrong_settings(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_ADMIN_IDS", "@ann")
        result = shell.runs("config", "check")

        assert result.code == 2
        assert "numbers such as 123456789; '@ann' is not one" in result.err

    def test_wrong_settings_of_a_plugin(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_PLUGINS__ECHO__NO_SUCH", "1")
        result = shell.runs("config", "check")

        assert result.code == 2
        assert "plugins.echo.no_such" in result.err

    def test_settings_for_a_plugin_that_is_not_there(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_PLUGINS__GEMNI__API_KEY", "x")
        result = shell.runs("config", "check")

        assert result.code == 0
        assert "settings for a plugin gemni, but no such plugin is installed" in result.err


def stored(path: Path) -> PasswordHash:
    return PasswordHash.parse(tomllib.loads(path.read_text())["admin"]["password_hash"])


class TestPassword:
    def test_from_a_script_goes_into_the_file_as_a_hash(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("# mine\nlanguage = 'en'\n")
        monkeypatch.setattr("sys.stdin", io.StringIO("open sesame\nmore\n"))
        result = shell.runs("config", "password", "--config", str(path))

        assert (result.code, result.err) == (0, "")
        assert stored(path).matches("open sesame")
        assert path.read_text().startswith("# mine\nlanguage = 'en'\n")
        assert "sesame" not in path.read_text() + result.out
        assert path.stat().st_mode & 0o007 == 0
        assert "set (hidden)" in shell.runs("config", "show", "--config", str(path)).out

    def test_at_a_terminal_is_asked_for_until_it_will_do(self, shell: Shell, keyboard: list[str]) -> None:
        keyboard += ["short", "open sesame", "open sesami", "open sesame", "open sesame"]
        path = shell.folder / "new.toml"
        result = shell.runs("config", "password", "--config", str(path))

        assert result.code == 0
        assert "must have 8" in result.err
        assert "two different" in result.err
        assert stored(path).matches("open sesame")

    def test_one_that_will_not_do_changes_nothing(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("language = 'en'\n")
        monkeypatch.setattr("sys.stdin", io.StringIO("/sesame-open\n"))
        result = shell.runs("config", "password", "--config", str(path))

        assert result.code == 2
        assert "must not begin with a slash" in result.err
        assert path.read_text() == "language = 'en'\n"

    def test_a_variable_that_goes_before_the_file_is_told(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("")
        monkeypatch.setenv("TGLLM_ADMIN__PASSWORD_HASH", "something")
        monkeypatch.setattr("sys.stdin", io.StringIO("open sesame\n"))

        assert "TGLLM_ADMIN__PASSWORD_HASH is set too" in shell.runs("config", "password", "--config", str(path)).err

    def test_the_password_itself_in_the_settings_is_refused_and_not_shown(self, shell: Shell) -> None:
        path = shell.writes_config('[admin]\npassword_hash = "open sesame"\n')
        result = shell.runs("config", "check", "--config", str(path))

        assert result.code == 2
        assert "run tgllm config password" in result.err
        assert "sesame" not in result.err + result.out


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is typed at a terminal, in order; the prompts must hide it."""
    typed: list[str] = []

    def prompt(_text: str, *, hide_input: bool) -> str:
        assert hide_input
        return typed.pop(0)

    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr(typer, "prompt", prompt)
    yield typed
    assert typed == []


def test_check_warns_of_a_config_file_that_others_can_change(shell: Shell) -> None:
    path = shell.writes_config("language = 'en'")
    shell.folder.chmod(0o700)
    path.chmod(0o666)
    result = shell.runs("config", "check", "--config", str(path))

    assert (result.code, result.out) == (0, "The settings are valid.\n")
    assert f"Other users of this machine can change {path}. Mend it with: chmod o-rwx {path}" in result.err

    path.chmod(0o600)
    assert shell.runs("config", "check", "--config", str(path)).err == ""


class TestExplain:
    def test_a_setting(self, shell: Shell) -> None:
        rows = shell.reads("config", "explain", "TGLLM_TURNS__IDLE_TIMEOUT", "--json", hints=True)

        assert rows["key"] == "turns.idle_timeout"
        assert (rows["unit"], rows["allowed"], rows["default"]) == ("seconds", "more than 0", "120")
        assert rows["source"] == "default"

    def test_a_mistyped_one(self, shell: Shell) -> None:
        result = shell.runs("config", "explain", "turns.idle_timout")

        assert result.code == 2
        assert "did you mean turns.idle_timeout?" in result.err

    def test_a_secret_is_hidden(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", TOKEN)

        assert shell.runs("config", "get", "bot_token").out == "set (hidden)\n"


class TestSet:
    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("turns.idle_timeout", "90", 90.0),
            ("sending.paced", "no", False),
            ("admin_ids", "1, 2", [1, 2]),
            ("language", "ru", "ru"),
        ],
    )
    def test_a_value_is_stored_and_comments_stay(self, shell: Shell, key: str, value: str, expected: object) -> None:
        path = shell.writes_config("# mine\n[turns]\nattempts = 2  # two\n")
        result = shell.runs("config", "set", key, value, "--config", str(path))

        assert result.code == 0, result.err
        found: Any = tomllib.loads(path.read_text())
        for step in key.split("."):
            found = found[step]
        assert found == expected
        assert "# mine" in path.read_text()
        assert "# two" in path.read_text()

    def test_a_wrong_value_changes_nothing(self, shell: Shell) -> None:
        path = shell.writes_config("# mine\n")
        result = shell.runs("config", "set", "turns.idle_timeout", "soon", "--config", str(path))

        assert result.code == 2
        assert "must be a valid number" in result.err
        assert path.read_text() == "# mine\n"

    def test_a_secret_is_no_argument(self, shell: Shell) -> None:
        path = shell.writes_config("")
        result = shell.runs("config", "set", "bot_token", TOKEN, "--config", str(path))

        assert result.code == 2
        assert "leave out the value" in result.err
        assert path.read_text() == ""
