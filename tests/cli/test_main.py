"""The command itself: help at once, one sentence for a failure, exit codes that scripts can rely on."""

import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

import pytest

import tgllm
from cli_support import Shell
from config_support import TOKEN
from tgllm.cli.options import hoist
from tgllm.cli.table import COMMANDS

HEAVY = {
    "aiogram",
    "anthropic",
    "aiohttp",
    "aiosqlite",
    "google",
    "httpx",
    "mistralai",
    "openai",
    "pydantic",
    "structlog",
}


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python has after some code."""
    program = f"import json, sys\n{code}\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_command_is_imported_without_anything_heavy() -> None:
    assert loaded_after("import tgllm.cli.main") & HEAVY == set()


def test_help_comes_without_anything_heavy() -> None:
    modules = loaded_after("from tgllm.cli.main import main\nassert main(['--help']) == 0")

    assert modules & (HEAVY | {"asyncio", "pluggy", "rich"}) == set()


def test_the_list_of_models_comes_without_anything_heavy(shell: Shell) -> None:
    shell.runs("db", "init")
    arguments = ["models", "list", "--data-dir", str(shell.data_dir)]
    modules = loaded_after(f"from tgllm.cli.main import main\nassert main({arguments}) == 0")

    assert modules & (HEAVY | {"asyncio", "pluggy"}) == set()


def test_the_settings_are_read_without_the_bot() -> None:
    modules = loaded_after("from tgllm.cli.main import main\nassert main(['config', 'path']) == 0")

    assert modules & {"aiogram", "aiohttp", "aiosqlite", "httpx"} == set()


@pytest.mark.parametrize("args", [["--help"], ["-h"], []])
def test_help_names_every_command(shell: Shell, args: list[str]) -> None:
    result = shell.runs(*args)

    assert result.code == 0
    for name, entry in COMMANDS.items():
        assert f"{name} " in result.out
        assert entry.help in result.out


def test_version(shell: Shell) -> None:
    result = shell.runs("--version")

    assert (result.code, result.out) == (0, f"tgllm {tgllm.__version__}\n")


def test_python_dash_m_is_the_same() -> None:
    done = subprocess.run([sys.executable, "-m", "tgllm", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"tgllm {tgllm.__version__}\n"


def test_a_mistyped_command_is_told_with_the_nearest(shell: Shell) -> None:
    result = shell.runs("plugin", "list")

    assert result.code == 2
    assert "No such command 'plugin'. Did you mean 'plugins'" in result.err


def test_a_mistyped_option_is_told(shell: Shell) -> None:
    result = shell.runs("--confg", "x")

    assert result.code == 2
    assert "--config" in result.err


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell_name: str) -> None:
    variables = {"_TGLLM_COMPLETE": f"complete_{shell_name}", "COMP_WORDS": "tgllm p", "COMP_CWORD": "1",
                 "_TYPER_COMPLETE_ARGS": "tgllm p", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tgllm"], env=os.environ | variables, capture_output=True, text=True, check=False
    )

    assert "plugins" in done.stdout
    assert "ping" in done.stdout
    assert "config" not in done.stdout


class TestSharedOptions:
    @pytest.mark.parametrize("after", [False, True])
    def test_may_stand_before_or_after_the_command(self, shell: Shell, after: bool) -> None:
        options = ["--config", str(shell.writes_config("language = 'ru'")), "--data-dir=/elsewhere"]
        command = ["config", "show", "--json"]
        result = shell.runs(*(command + options if after else options + command))

        values = {item["key"]: item["value"] for item in json.loads(result.out)}
        assert (values["language"], values["data_dir"]) == ("ru", "/elsewhere")

    @pytest.mark.parametrize(
        ("args", "moved"),
        [
            (["run"], ["run"]),
            (["run", "--debug", "--config", "x"], ["--debug", "--config", "x", "run"]),
            (["run", "--config=x", "--no-plugins"], ["--config=x", "--no-plugins", "run"]),
            (["db", "backup", "--", "--debug"], ["db", "backup", "--", "--debug"]),
            (["run", "--config"], ["run", "--config"]),
        ],
    )
    def test_are_moved_to_the_front(self, args: list[str], moved: list[str]) -> None:
        assert hoist(args) == moved

    @pytest.mark.parametrize("option", ["--config", "--data-dir"])
    def test_with_an_empty_value_are_a_mistake(self, shell: Shell, option: str) -> None:
        result = shell.runs("config", "show", option, "")

        assert result.code == 2
        assert f"'{option}': a path can't be empty" in result.err

    def test_without_a_value_are_a_mistake(self, shell: Shell) -> None:
        result = shell.runs("config", "show", "--config")

        assert result.code == 2
        assert "--config" in result.err


@pytest.mark.parametrize(
    "words", [("plugins", "new", "tea", "--kind", "job", "--path", ""), ("demo", "--once", "--plugin", "")]
)
def test_an_empty_path_is_not_the_current_folder(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell.runs(*words)

    assert (result.code, list(shell.folder.iterdir())) == (2, [])
    assert "a path can't be empty" in result.err


class TestFailures:
    def test_of_settings_are_sentences_with_exit_code_2(self, shell: Shell) -> None:
        path = shell.writes_config("lnguage = 'ru'\n[turns]\nattempts = 'x'")
        result = shell.runs("config", "show", "--config", str(path))

        assert result.code == 2
        assert result.out == ""
        assert result.err.splitlines() == [
            f"tgllm: {path}:1: unknown key lnguage; did you mean language?",
            f"{path}:3 (turns.attempts): must be a valid integer, unable to parse string as an integer, such as 4",
        ]

    @pytest.mark.parametrize("how", ["flag", "variable", "dotenv", "not at all"])
    def test_show_where_they_came_from_only_when_asked(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        if how == "variable":
            monkeypatch.setenv("TGLLM_DEBUG", "1")
        if how == "dotenv":
            (shell.folder / ".env").write_text("TGLLM_DEBUG=1")
        result = shell.runs("config", "show", "--config", "/no/such/file", *(["--debug"] if how == "flag" else []))

        assert result.code == 2
        assert ("Traceback" in result.err) == (how != "not at all")
        assert "there is no file /no/such/file" in result.err

    def test_of_a_question_at_the_end_of_the_input_name_it(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        result = shell.runs("init", "--config", str(shell.folder / "new.toml"))

        assert result.code == 1
        assert "Aborted" not in result.err
        assert result.err.splitlines()[-1] == (
            'tgllm: the input ended before there was an answer to "Bot token, as @BotFather on Telegram shows it". '
            "Run the command in a terminal, or give the answer by an option: see --help."
        )

    def test_of_a_folder_that_is_gone_are_a_sentence(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        shell.folder.rmdir()
        for args in (["config", "show"], ["users", "list"], ["models", "list"]):
            result = shell.runs(*args)
            assert result.code == 2
            assert result.err.startswith("tgllm: the current folder no longer exists; change to another one")

    def test_never_show_a_token(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_DEFAULT_MODEL", TOKEN)
        for args in (["config", "show"], ["config", "show", "--debug"], ["config", "show", "--config", f"/x/{TOKEN}"]):
            result = shell.runs(*args)
            assert result.code == 2
            assert TOKEN not in result.err


SAYS_HELLO = """
import typer
app = typer.Typer()

@app.command()
def hello(name: str, config: str = "") -> None:
    print(f"hello {name} {config}".strip())

@app.command()
def fail(how: str) -> None:
    errors = {"interrupt": KeyboardInterrupt, "error": ValueError, "exit": SystemExit}
    raise errors[how]("/bot42:SECRET/x")
"""


class NoAnswer(io.StringIO):
    """Somebody who presses Ctrl-C where a question is asked."""

    def readline(self, _size: int | None = -1, /) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_at_a_question_ends_with_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", NoAnswer())
    result = shell.runs("init")

    assert result.code == 130
    assert "Traceback" not in result.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(shell: Shell, closed: str) -> None:
    command = f"{sys.executable} -m tgllm ping --no-plugins --data-dir {shell.data_dir} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    said = done.stderr.splitlines()
    assert (done.returncode, len(said)) == (0, 0 if "2>&-" in closed else 1)
    assert all("Only the echo provider answers" in line for line in said)


def test_letters_that_a_terminal_lacks_are_written_as_escapes(shell: Shell) -> None:
    assert shell.runs("db", "init").code == 0
    with closing(sqlite3.connect(shell.data_dir / "tgllm.db")) as conn:
        conn.execute("INSERT INTO users (id, first_name, created_at, updated_at) VALUES (7, 'Аня', 1, 1)")
        conn.commit()
    terminal, its_end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        done = subprocess.run(
            [sys.executable, "-m", "tgllm", "users", "list"],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            stdout=its_end,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(its_end)
        assert (done.returncode, done.stderr) == (0, "")
        assert rb"\u0410\u043d\u044f" in screen.read(10_000)


@pytest.mark.parametrize("encoding", ["cp1251", "latin-1", "utf-8"])
def test_json_can_be_read_whatever_the_encoding(shell: Shell, encoding: str) -> None:
    assert shell.runs("db", "init").code == 0
    with closing(sqlite3.connect(shell.data_dir / "tgllm.db")) as conn:
        conn.execute("INSERT INTO users (id, first_name, created_at, updated_at) VALUES (7, 'Аня é 😀', 1, 1)")
        conn.commit()
    done = subprocess.run(
        [sys.executable, "-m", "tgllm", "users", "list", "--json"],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)[0]["first_name"] == "Аня é 😀"


class TestCommandsOfPlugins:
    def test_are_listed_without_being_imported(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-hello", "raise RuntimeError('imported')", tgllm__cli={"greet": "tgllm_hello:app"})
        result = shell.runs("--help")

        assert result.code == 0
        assert "greet" in result.out
        assert "Says hello in [many] ways" in result.out

    def test_run_with_their_own_options(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-hello", SAYS_HELLO, tgllm__cli={"greet": "tgllm_hello:app"})

        assert shell.runs("greet", "hello", "Ann", "--config", "own").out == "hello Ann own\n"
        assert shell.runs("--data-dir", "x", "greet", "hello", "run", "--config=own").out == "hello run own\n"
        assert shell.runs("greet", "--help").code == 0

    def test_never_take_the_place_of_ours(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-hello", SAYS_HELLO, tgllm__cli={"config": "tgllm_hello:app"})

        assert shell.runs("config", "path").code == 0
        assert shell.runs("--help").out.count("  config  ") == 1

    @pytest.mark.parametrize("names", [("tgllm-good", "tgllm-other"), ("tgllm-other", "tgllm-good")])
    def test_of_two_with_one_name_the_first_by_package_is_run(
        self, shell: Shell, install: Callable[..., None], names: tuple[str, str]
    ) -> None:
        for name in names:
            install(
                name, SAYS_HELLO.replace("hello {", f"{name} {{"), tgllm__cli={"greet": f"{name}:app".replace("-", "_")}
            )

        assert shell.runs("greet", "hello", "Ann").out.startswith("tgllm-good Ann")

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("raise RuntimeError('boom')", "can't be loaded (RuntimeError: boom)"),
            ("raise type('Odd', (Exception,), {'__str__': 0})", "can't be loaded (Odd)"),
            ("raise SystemExit(0)", "can't be loaded (SystemExit: 0)"),
            ("import no_such_module", "can't be loaded (ModuleNotFoundError"),
            ("app = 3", "is no Typer app"),
        ],
    )
    def test_that_are_broken_are_told_in_a_sentence(
        self, shell: Shell, install: Callable[..., None], code: str, reason: str
    ) -> None:
        install("tgllm-hello", code, tgllm__cli={"greet": "tgllm_hello:app"})
        result = shell.runs("greet")

        assert result.code == 1
        assert "The command greet of the package tgllm-hello" in result.err
        assert reason in result.err
        assert "Traceback" not in result.err

    def test_that_fail_are_told_in_a_sentence(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-hello", SAYS_HELLO, tgllm__cli={"greet": "tgllm_hello:app"})
        result = shell.runs("greet", "fail", "error")

        assert result.code == 1
        assert "unexpected ValueError: /bot[hidden]/x" in result.err
        assert "Traceback" not in result.err

    def test_may_end_with_a_sentence(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-hello", SAYS_HELLO, tgllm__cli={"greet": "tgllm_hello:app"})
        result = shell.runs("greet", "fail", "exit")

        assert (result.code, result.err) == (1, "/bot[hidden]/x\n")

    def test_end_with_130_on_ctrl_c(self, shell: Shell, install: Callable[..., None]) -> None:
        install("tgllm-hello", SAYS_HELLO, tgllm__cli={"greet": "tgllm_hello:app"})

        assert shell.runs("greet", "fail", "interrupt").code == 130
