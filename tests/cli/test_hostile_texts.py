"""Every command over texts of people, providers and plugins that try to control the terminal."""

import importlib
import io
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.core import TyperGroup

from cli_support import Shell, Terminal
from database_support import NOW
from plugin_support import write_distribution
from tgllm.api.clock import SystemClock
from tgllm.cli import output
from tgllm.cli.failure import report, tell
from tgllm.cli.table import COMMANDS
from tgllm.db.engine.sqlite import in_transaction
from tgllm.db.tables import audit, conversations, facts, groups, invites, messages, models, usage, users
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.facts import NewFact
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.models import NewModel
from tgllm.db.tables.usage import Spent
from tgllm.db.tables.users import SeenUser
from tgllm.observe.visible import is_safe
from tgllm.services.access.bot_account import remember_username

pytestmark = pytest.mark.once

# Other work on the machine must not fail a test.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

BAD = (
    "\x1b[31mE\x1b]8;;http://e.example\x07v\x1b]52;c;AAAA\x1b\\e\x9b1m\x9d0;t\x9c\u202egpj\u2066\u2069\u200b\u200f"
    "\r\x08\x7f\x85\u2028\u2029\ufeff[red][link=http://e.example]x[/red]"
)
"""Without a line end, which is no harm in texts that may have several lines."""
EVE, MAL, GROUP, BOT = 4242, 4343, -100200, 7

PLUGIN = f"""
from tgllm import hookimpl
from tgllm.api import (Check, Finished, ModelInfo, PluginInfo, Provider, ProviderSpec, TextDelta, Unavailable)

BAD = {BAD!a}

class Bad(Provider):
    async def list_models(self):
        return [ModelInfo(id="m-" + BAD, title="T " + BAD, aliases=("a-" + BAD,)), ModelInfo(id="plain")]

    async def generate(self, request):
        yield TextDelta(BAD)
        yield Finished("stop")

    async def doctor(self):
        return [Check("balance " + BAD, "warning", "detail " + BAD)]

class Down(Provider):
    async def list_models(self):
        raise Unavailable("down " + BAD)

    async def generate(self, request):
        yield

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="bad", title="Bad " + BAD, api="1.0")

@hookimpl
def tgllm_providers():
    return [ProviderSpec("bad", "Bad " + BAD, lambda ctx: Bad()),
            ProviderSpec("down", "Down " + BAD, lambda ctx: Down())]

@hookimpl
def tgllm_doctor():
    return [Check("check " + BAD, "failed", BAD)]
"""
RUNS: Mapping[str, Sequence[Sequence[str]]] = {
    "init": [["--force"]],
    "run": [[]],
    "demo": [["--once"]],
    "chat": [
        ["hi"],
        [BAD],
        [f"bad/m-{BAD}", "hi"],
        ["-m", "bad/plain", "hi"],
        ["-m", BAD, "hi"],
        ["-p", BAD],
        ["--json", BAD],
    ],
    "ping": [[]],
    "doctor": [[], ["--json"], ["--offline"]],
    "config path": [[]],
    "config show": [[], ["--json"]],
    "config explain": [["bot_token"], [BAD]],
    "config get": [["language"], [BAD]],
    "config set": [["language", BAD], [BAD, "1"]],
    "config search": [["language"], [BAD]],
    "config list": [["language"], [BAD]],
    "config unset": [["language"], [BAD]],
    "config check": [[]],
    "config password": [[]],
    "db init": [[]],
    "db check": [[], ["--json"]],
    "db backup": [[], [f"no/{BAD}"]],
    "db backups": [[], ["--json"]],
    "db restore": [[BAD]],
    "db stats": [[], ["--json"]],
    "db prune": [[], ["--json"]],
    "db copy": [[f"no/{BAD}", f"to/{BAD}"], [f"no/{BAD}", f"to/{BAD}", "--json"]],
    "db vacuum": [[], ["--json"]],
    "upgrade": [["--check"], ["--check", "--json"], ["--check", "--to", BAD]],
    "models list": [[], ["--json"], ["--provider", BAD]],
    "models sync": [[], ["--json"]],
    "models default": [[], [f"bad/m-{BAD}"], [f"bad/{BAD}"], ["--none"]],
    "users list": [[], ["--json"]],
    "users approve": [[str(EVE)], [BAD]],
    "users deny": [[str(EVE)]],
    "users block": [[str(EVE)]],
    "users role": [[str(MAL), "admin"], [str(MAL), BAD]],
    "users budget": [
        [str(MAL)],
        [str(MAL), "--set", f"usd/day={BAD}"],
        [str(MAL), "--lift", BAD],
        [str(MAL), "--json"],
    ],
    "users export": [[str(MAL)], [str(MAL), "--format", "markdown"], [BAD], [str(MAL), f"no/{BAD}"]],
    "users forget": [[str(MAL)], [str(MAL), "--yes"]],
    "groups list": [[], ["--json"]],
    "groups approve": [[str(GROUP)], [BAD]],
    "groups deny": [[BAD], [str(GROUP)]],
    "invites list": [[], ["--json"]],
    "invites new": [[], ["--json"], ["--people", BAD]],
    "invites revoke": [["1"], ["99"], [BAD]],
    "usage": [["--by", "user"], ["--by", "model"], ["--by", "model", "--json"], ["--by", BAD]],
    "audit": [[], ["--json"]],
    "tools list": [[], ["--json"]],
    "inbox list": [[], ["--json"], ["--state", "done"]],
    "inbox show": [["5"], ["5", "--json"], [BAD]],
    "inbox retry": [["5"], ["--all"], [BAD]],
    "inbox drop": [["5"], ["--all", "--json"]],
    "errors list": [[], ["--json"]],
    "errors show": [[BAD], [BAD, "--json"]],
    "plugins list": [[], ["--json"]],
    "plugins retry": [[BAD]],
    "plugins new": [[BAD], ["lamp", "--kind", BAD], ["lamp", "--kind", "command", "--author", BAD]],
    "plugins install": [["--dry-run", BAD], ["--dry-run", "--json", f"no/{BAD}.whl"]],
    "plugins upgrade": [["--dry-run", BAD]],
    "plugins uninstall": [["--dry-run", BAD], ["--dry-run", "--json", BAD]],
    "plugins check": [[BAD], [BAD, "--json"]],
    "plugins info": [[BAD], ["echo"], ["echo", "--json"]],
    "plugins trace": [["--count", BAD]],
}
"""The arguments with which each command is run; a new command needs an entry."""


def leaves() -> Iterator[str]:
    for name, entry in COMMANDS.items():
        command = typer.main.get_command(importlib.import_module(entry.module).app)
        inner = command.commands if isinstance(command, TyperGroup) else ()
        yield from (f"{name} {each}" for each in inner) if inner else [name]


def test_every_command_is_run_here() -> None:
    assert set(leaves()) == RUNS.keys()


def fill(conn: sqlite3.Connection) -> None:
    today = f"{datetime.fromtimestamp(SystemClock().now(), UTC):%Y-%m-%d}"
    users.upsert_seen(conn, SeenUser(EVE, None, BAD, BAD, "en"), NOW)
    users.register_pending(conn, EVE, NOW, BAD)
    users.upsert_seen(conn, SeenUser(MAL, None, f"Mal\n{BAD}", BAD, "en"), NOW)
    users.set_status(conn, MAL, "active", NOW)
    groups.request(conn, GROUP, BAD, NOW, by=EVE)
    models.upsert(conn, [NewModel(provider="bad", model=f"old-{BAD}", title=BAD, aliases=[BAD])], NOW)
    audit.add(conn, NewEntry(actor_id=MAL, source="telegram", action=BAD, target=BAD, details={BAD: BAD}), NOW)
    usage.add(conn, EVE, today, "bad", f"m-{BAD}", Spent(input_tokens=1, output_tokens=1, cost_micros=1))
    invites.create(conn, "ab" * 32, 3, 2**52, NOW, created_by=MAL)
    remember_username(conn, BOT, "demo_bot", NOW)
    conversation = conversations.active_for(conn, f":{MAL}:", NOW)
    conversations.set_title(conn, conversation.id, BAD, NOW)
    said = NewMessage(
        conversation_id=conversation.id, parent_id=None, turn_id="t", role="user", text=BAD, telegram_chat_id=MAL,
        user_id=MAL,
    )  # fmt: skip
    conversations.set_head(conn, conversation.id, messages.add(conn, said, NOW), NOW)
    facts.add(conn, NewFact(lane=f":{MAL}:", owner=MAL, user_id=MAL, text=BAD), NOW)


@pytest.fixture
def hostile(shell: Shell, home: Path, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Shell:
    install("tgllm-bad", PLUGIN, tgllm={"bad": "tgllm_bad"})
    install("tgllm-torn", f"raise RuntimeError({BAD!a})", tgllm={"torn": "tgllm_torn"})
    for name in ("GEMINI_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", f"gemini,mistral,dipseek,llm,openai,anthropic,no{BAD}")
    monkeypatch.setenv("TGLLM_SYSTEM_PROMPT", BAD)
    monkeypatch.setenv("TGLLM_PLUGINS__ECHO__DELAY", "0")
    monkeypatch.setenv("TGLLM_PERSONAS", json.dumps({"p": {"system": BAD}}))
    monkeypatch.setenv("TERM", "dumb")  # without the escape sequences of styles
    shell.writes_config("")
    with shell.new_database() as conn:
        in_transaction(conn, fill, "BEGIN IMMEDIATE")
    return shell


@pytest.mark.parametrize("command", RUNS)
def test_in_a_pipe(hostile: Shell, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for args in RUNS[command]:
        for debug in ([], ["--debug"]):
            monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
            result = hostile.runs(*command.split(), *args, *debug)

            assert is_safe(result.out), ascii(result.out)
            assert is_safe(result.err), ascii(result.err)


@pytest.mark.parametrize("command", [name for name in RUNS if name not in {"demo", "run", "init"}])
def test_in_a_terminal(hostile: Shell, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for args in RUNS[command]:
        out, err = Terminal(), Terminal()
        monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            hostile.runs(*command.split(), *args)

        assert is_safe(out.getvalue()), ascii(out.getvalue())
        assert is_safe(without_progress(err.getvalue())), ascii(err.getvalue())


def without_progress(text: str) -> str:
    """Without the cursor movements of the progress lines, which are the command's own."""
    return re.sub(r"\x1b\[(?:\?25[hl]|[0-9;]*[mKA]|2K)|\r", "", text)


def test_the_texts_arrive(hostile: Shell) -> None:
    """The commands above do show them."""
    shown = {name: hostile.runs(*name.split()) for name in ("models list", "models sync", "doctor", "plugins list")}

    assert "old-\\x1b[31mE\\x1b]8;;" in shown["models list"].out
    assert "m-\\x1b[31mE" in shown["models sync"].out
    assert "down \\x1b[31m" in shown["models sync"].err
    assert "balance \\x1b[31m" in shown["doctor"].out
    assert "RuntimeError: \\x1b[31m" in shown["plugins list"].out


def test_json_has_the_texts_as_they_are(hostile: Shell) -> None:
    (listed,) = hostile.reads("models", "list", "--json")

    assert listed["model"] == f"bad/old-{BAD}"


def test_names_and_summaries_of_plugin_commands(shell: Shell, home: Path, install: Callable[..., None]) -> None:
    bad = "\x1b[31mhi\u202e\x9b"
    info = {"tgllm.cli": {f"bad{bad}": "tgllm_none:app"}}
    write_distribution(home / "site-packages", "tgllm-none", info, {}, summary=f"Says {bad}")
    listed = shell.runs("--help")
    called = shell.runs("bad\\x1b[31mhi\\u202e\\x9b")

    assert "bad\\x1b[31mhi\\u202e\\x9b" in listed.out
    assert "Says \\x1b[31mhi" in listed.out
    assert is_safe(listed.out)
    assert "can't be loaded" in called.err
    assert is_safe(called.err)


@pytest.mark.parametrize(
    "args", [[BAD], ["--" + BAD], ["users", BAD], ["users", "approve", "1", BAD], ["config", "show", "--config", BAD]]
)
def test_what_is_typed(shell: Shell, args: list[str]) -> None:
    result = shell.runs(*args)

    assert result.code
    assert is_safe(result.err + result.out)


@UNHURRIED
@given(st.text())
def test_errors_of_any_text(text: str) -> None:
    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        tell(text)
        report(ValueError(text), debug=True)

    assert is_safe(written.getvalue())


WRITERS = re.compile(
    r"typer\.(?:echo|secho|prompt|confirm)|sys\.std(?:out|err)\.write|\bprint\(|stdout\.buffer|Console\(", re.MULTILINE
)


def test_only_the_two_modules_of_output_write() -> None:
    folder = Path(output.__file__).parent
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if WRITERS.search(path.read_text())}

    # The progress lines of models/sync.py escape the names of the providers; a chat shows answers through ``visible``,
    # as tests/cli/chat/test_display.py shows.
    chat = {"chat/interactive.py", "chat/markdown.py", "chat/notes.py"}
    assert found == {"output.py", "failure.py", "commands/models/sync.py"} | chat
