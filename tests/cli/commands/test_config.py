"""``tgllm config``."""

import io
import tomllib
from collections.abc import Callable, Iterator
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
        assert "length of a password" in result.err
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
            ("admin_chat_id", "-1001234567890", -1001234567890),
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

    @pytest.mark.parametrize(
        ("key", "value", "words"),
        [
            ("turns.idle_timeout", "soon", "must be a valid number"),
            ("admin_chat_id", "home", "must be a valid integer"),
        ],
    )
    def test_a_wrong_value_changes_nothing(self, shell: Shell, key: str, value: str, words: str) -> None:
        path = shell.writes_config("# mine\n")
        result = shell.runs("config", "set", key, value, "--config", str(path))

        assert result.code == 2
        assert result.err.startswith(f"tgllm: {key}: ")
        assert words in result.err
        assert path.read_text() == "# mine\n"

    def test_a_secret_is_no_argument(self, shell: Shell) -> None:
        path = shell.writes_config("")
        result = shell.runs("config", "set", "bot_token", TOKEN, "--config", str(path))

        assert result.code == 2
        assert "leave out the value" in result.err
        assert path.read_text() == ""

    def test_a_secret_comes_from_standard_input(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("# mine\n")
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}\nmore\n"))
        result = shell.runs("config", "set", "bot_token", "--config", str(path))

        assert result.code == 0, result.err
        assert tomllib.loads(path.read_text()) == {"bot_token": TOKEN}
        assert TOKEN not in result.out + result.err
        assert path.stat().st_mode & 0o007 == 0

    def test_a_secret_is_asked_for_without_echo(self, shell: Shell, keyboard: list[str]) -> None:
        keyboard.append(TOKEN)
        path = shell.writes_config("")
        result = shell.runs("config", "set", "TGLLM_BOT_TOKEN", "--config", str(path))

        assert result.code == 0, result.err
        assert tomllib.loads(path.read_text()) == {"bot_token": TOKEN}
        assert TOKEN not in result.out + result.err

    @pytest.mark.parametrize("given", ["", "\n", "not a token\n"])
    def test_a_wrong_secret_from_standard_input_changes_nothing(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, given: str
    ) -> None:
        path = shell.writes_config("# mine\n")
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        result = shell.runs("config", "set", "bot_token", "--config", str(path))

        assert result.code == 2
        assert "bot_token" in result.err
        assert "not a token" not in result.err
        assert path.read_text() == "# mine\n"

    def test_a_secret_takes_the_place_of_its_file(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        (shell.folder / "token").write_text(TOKEN)
        path = shell.writes_config(f"bot_token_file = '{shell.folder}/token'  # from the vault\n")
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{TOKEN}x\n"))
        result = shell.runs("config", "set", "bot_token", "--config", str(path))

        assert result.code == 0, result.err
        assert tomllib.loads(path.read_text()) == {"bot_token": f"{TOKEN}x"}


class TestSetOfPlugins:
    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("plugins.gemini.timeout_seconds", "30", 30.0),
            ("plugins.gemini.project", "mine", "mine"),
            ("TGLLM_PLUGINS__LOCAL__CHECK_MEMORY", "no", False),
            ("plugins.whisper.model", "base", "base"),
        ],
    )
    def test_a_valid_value(self, shell: Shell, key: str, value: str, expected: object) -> None:
        path = shell.writes_config("# mine\n[plugins.gemini]  # Google\nlocation = 'eu'\n")
        result = shell.runs("config", "set", key, value, "--config", str(path))

        assert result.code == 0, result.err
        _, plugin, field = key.removeprefix("TGLLM_").lower().replace("__", ".").split(".")
        assert tomllib.loads(path.read_text())["plugins"][plugin][field] == expected
        assert path.read_text().startswith("# mine\n[plugins.gemini]  # Google\n")
        shown = shell.runs("config", "get", key, "--config", str(path)).out.strip()
        assert shown.removesuffix(".0") == str(expected).removesuffix(".0").replace("False", "false")

    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("plugins.gemini.timeout_seconds", "-1", "plugins.gemini.timeout_seconds is wrong: "),
            ("plugins.gemini.api_version", "v9", "plugins.gemini.api_version is wrong: "),
            ("plugins.gemini.tiemout_seconds", "1", "did you mean plugins.gemini.timeout_seconds?"),
            ("plugins.gemini.api_key", "k-12345", "leave out the value"),
        ],
    )
    def test_an_invalid_value_changes_nothing(self, shell: Shell, key: str, value: str, expected: str) -> None:
        path = shell.writes_config("# mine\n")
        result = shell.runs("config", "set", key, value, "--config", str(path))

        assert result.code == 2
        assert expected in result.err
        assert value not in result.err or len(value) < 4
        assert path.read_text() == "# mine\n"

    def test_a_secret_comes_from_standard_input(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("")
        monkeypatch.setattr("sys.stdin", io.StringIO("key-12345\n"))
        result = shell.runs("config", "set", "GEMINI_API_KEY", "--config", str(path))

        assert result.code == 0, result.err
        assert tomllib.loads(path.read_text()) == {"plugins": {"gemini": {"api_key": "key-12345"}}}
        assert "key-12345" not in result.out + result.err
        assert shell.runs("config", "get", "plugins.gemini.api_key", "--config", str(path)).out == "set (hidden)\n"

    def test_other_settings_may_still_be_missing_or_wrong(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-needy", NEEDY, tgllm={"needy": "tgllm_needy"})
        path = shell.writes_config("[plugins.needy]\nport = 'x'\n")

        for key, value in (("host", "a.example"), ("names", "one, two"), ("net.retries", "3"), ("port", "80")):
            result = shell.runs("config", "set", f"plugins.needy.{key}", value, "--config", str(path))
            assert result.code == 0, result.err
        assert tomllib.loads(path.read_text())["plugins"]["needy"] == {
            "host": "a.example",
            "names": ["one", "two"],
            "net": {"retries": 3},
            "port": 80,
        }
        rows = shell.reads(
            "config", "explain", "plugins.needy.net.retries", "--json", "--config", str(path), hints=True
        )
        assert (rows["meaning"], rows["default"], rows["value"]) == ("How often it tries again.", "1", "3")


NEEDY = """
from pydantic import BaseModel, ConfigDict, Field
import tgllm
from tgllm.api.context import PluginInfo

class Net(BaseModel):
    retries: int = Field(default=1, ge=0, description="How often it tries again.")

class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    host: str
    port: int
    names: list[str] = []
    net: Net = Net()

@tgllm.hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="needy", title="Needy", api="1.0", settings=Settings)
"""


PRICED = "[prices.'a/b-1.5']\ninput = 1\noutput = 2\n[log]\nlevel = 'info'\n"


class TestUnset:
    @pytest.mark.parametrize(
        ("before", "key", "after"),
        [
            ("# mine\nlanguage = 'ru'  # ours\n", "language", "# mine\n"),
            ("[turns]\n# two\nattempts = 3\nsummary = 'on'\n", "turns.attempts", "[turns]\n# two\nsummary = 'on'\n"),
            ("[turns]\nattempts = 3\n", "TGLLM_TURNS__ATTEMPTS", "[turns]\n"),
            ("turns.attempts = 3\nlanguage = 'en'\n", "turns.attempts", "language = 'en'\n"),
            ("turns = {attempts = 3, summary = 'on'}\n", "turns.attempts", "turns = { summary = 'on'}\n"),
            ("admin_ids = [\n  1,  # me\n  2,\n]\nlanguage = 'en'\n", "admin_ids", "language = 'en'\n"),
            ("bot_token_file = '/nowhere'\n# x\n", "bot_token", "# x\n"),
            (
                "[plugins.gemini]\nproject = 'x'\nlocation = 'eu'\n",
                "plugins.gemini.project",
                "[plugins.gemini]\nlocation = 'eu'\n",
            ),
            ("[plugins.gone]\nkey = 1\n[turns]\nattempts = 3\n", "plugins.gone", "[turns]\nattempts = 3\n"),
            (PRICED, "prices", "[log]\nlevel = 'info'\n"),
            (PRICED, "prices.a/b-1.5", "[log]\nlevel = 'info'\n"),
            ("languge = 'ru'\n# x\n", "languge", "# x\n"),
            ("[turns]\nattempts = 'wrong'\n", "turns.attempts", "[turns]\n"),
            ("# mine\r\nlanguage = 'ru'\r\nadmin_ids = [1]\r\n", "language", "# mine\r\nadmin_ids = [1]\r\n"),
        ],
    )
    def test_a_setting_is_removed_and_comments_stay(self, shell: Shell, before: str, key: str, after: str) -> None:
        path = shell.writes_config("")
        path.write_bytes(before.encode())
        result = shell.runs("config", "unset", key, "--config", str(path))

        assert result.code == 0, result.err
        assert "is removed" in result.out
        assert path.read_bytes().decode() == after

    @pytest.mark.parametrize("key", ["language", "turns.attempts", "plugins.gemini.api_key"])
    def test_one_that_is_not_there_changes_nothing(self, shell: Shell, key: str) -> None:
        path = shell.writes_config("# mine\n")
        result = shell.runs("config", "unset", key, "--config", str(path))

        assert (result.code, path.read_text()) == (0, "# mine\n")
        assert "not set there" in result.out

    @pytest.mark.parametrize(
        ("key", "expected"),
        [("langauge", "did you mean language?"), ("turns", "name one of them"), ("plugins", "name one of them")],
    )
    def test_one_that_does_not_exist(self, shell: Shell, key: str, expected: str) -> None:
        path = shell.writes_config("[turns]\nattempts = 3\n")
        result = shell.runs("config", "unset", key, "--config", str(path))

        assert result.code == 2
        assert expected in result.err
        assert path.read_text() == "[turns]\nattempts = 3\n"

    def test_where_there_is_no_file(self, shell: Shell) -> None:
        result = shell.runs("config", "unset", "language")

        assert result.code == 0
        assert "not set there" in result.out

    def test_a_variable_still_sets_it(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("language = 'ru'\n")
        monkeypatch.setenv("TGLLM_LANGUAGE", "en")

        assert "TGLLM_LANGUAGE is set too" in shell.runs("config", "unset", "language", "--config", str(path)).err


class TestSearch:
    @pytest.mark.parametrize("command", ["search", "list"])
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["idle_timeout"], "turns.idle_timeout"),
            (["KEEP-ALIVE"], "turns.wait_timeout"),
            (["TGLLM_LOG__LEVEL"], "log.level"),
            (["gemini_api_key"], "plugins.gemini.api_key"),
            (["bot_token_file"], "bot_token"),
            (["sentry_environment"], "errors.environment"),
            (["google", "cloud"], "plugins.gemini.project"),
            (["messages per minute"], "sending.group_per_minute"),
        ],
    )
    def test_by_key_meaning_or_variable(self, shell: Shell, command: str, words: list[str], expected: str) -> None:
        found = shell.reads("config", command, *words, "--json", hints=True)

        assert expected in [item["key"] for item in found]
        assert len(found) < 8
        assert f"\n{expected}\t" in shell.runs("config", command, *words).out

    def test_all_settings(self, shell: Shell) -> None:
        found = shell.reads("config", "list", "--json", hints=True)

        assert {"bot_token", "turns.attempts", "plugins.gemini.api_key"} <= {item["key"] for item in found}
        assert all(item["meaning"] for item in found)

    def test_nothing_found(self, shell: Shell) -> None:
        result = shell.runs("config", "search", "langauge")

        assert result.code == 2
        assert "did you mean language?" in result.err


class TestPluginsShown:
    @pytest.mark.parametrize(
        ("name", "in_file"),
        [
            ("GEMINI_API_KEY", False),
            ("GEMINI_API_KEY_FILE", True),
            ("TGLLM_PLUGINS__GEMINI__API_KEY", False),
            ("TGLLM_PLUGINS__GEMINI__API_KEY_FILE", True),
        ],
    )
    def test_the_source_of_a_key(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, *, in_file: bool
    ) -> None:
        secret = shell.folder / "key"
        secret.write_text("key-12345")
        monkeypatch.setenv(name, str(secret) if in_file else "key-12345")
        found = shown(shell)["plugins.gemini.api_key"]
        named = f", which names {secret}" if in_file else ""

        assert found["value"] == "set (hidden)"
        assert found["source"] == f"environment variable {name}{named}"
        assert "Also read from GEMINI_API_KEY" in found["description"]

    def test_values_that_are_no_secrets(self, shell: Shell) -> None:
        path = shell.writes_config(
            "[plugins.gemini]\nlocation = 'eu'\nbase_url = 'https://ann:sesame@proxy.example'\n"
            "proxy = 'http://sesame.example'\n[plugins.gone]\nx = 'sesame'\n"
        )
        settings = shown(shell, "--config", str(path))

        assert settings["plugins.gemini.location"]["value"] == "eu"
        assert settings["plugins.gemini.location"]["source"] == f"{path} (plugins.gemini.location)"
        assert settings["plugins.gemini.timeout_seconds"]["value"] == 120
        assert settings["plugins.gemini.timeout_seconds"]["source"] == "default"
        assert "sesame" not in str(settings)
        assert settings["plugins.gone.x"]["value"] == "set (hidden)"

    def test_a_file_that_is_missing_is_no_error(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GEMINI_API_KEY_FILE", "/nowhere/key")

        assert shown(shell)["plugins.gemini.api_key"]["value"] == "set (hidden)"

    def test_no_data_folder_is_made(self, shell: Shell) -> None:
        shown(shell)

        assert not shell.data_dir.exists()


class TestExplainInWords:
    def test_in_the_language_of_the_bot(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_LANGUAGE", "ru")
        lines = shell.runs("config", "explain", "streaming.keep_alive").out.splitlines()

        assert "единица\tсекунды" in lines
        assert "допустимо\tбольше 0, не больше 24" in lines

    def test_choices_and_an_example(self, shell: Shell) -> None:
        lines = shell.runs("config", "explain", "log.level").out.splitlines()

        assert "allowed\tdebug, info, warning, error" in lines
        assert "example\tinfo" in lines

    def test_of_a_plugin(self, shell: Shell) -> None:
        rows = shell.reads("config", "explain", "GEMINI_API_KEY", "--json", hints=True)

        assert rows["key"] == "plugins.gemini.api_key"
        assert rows["variable"] == "TGLLM_PLUGINS__GEMINI__API_KEY, GEMINI_API_KEY"
        assert rows["file"] == "TGLLM_PLUGINS__GEMINI__API_KEY_FILE, GEMINI_API_KEY_FILE"
        assert (rows["value"], rows["source"]) == ("-", "default")


class TestRemovePassword:
    def test_it_is_removed(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        path = shell.writes_config("# mine\n[admin]\n# ours\n")
        monkeypatch.setattr("sys.stdin", io.StringIO("open sesame\n"))
        shell.runs("config", "password", "--config", str(path))
        assert "password_hash" in path.read_text()
        result = shell.runs("config", "password", "--remove", "--config", str(path))

        assert (result.code, result.err) == (0, "")
        assert "is removed" in result.out
        assert path.read_text() == "# mine\n[admin]\n# ours\n"

    def test_where_there_is_none(self, shell: Shell) -> None:
        path = shell.writes_config("# mine\n")
        result = shell.runs("config", "password", "--remove", "--config", str(path))

        assert (result.code, path.read_text()) == (0, "# mine\n")
        assert "There is no password" in result.out
