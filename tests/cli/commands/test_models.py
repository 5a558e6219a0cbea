"""``tgllm models``: list, sync, default."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.api.types import ModelRef
from tgllm.db.tables import audit, models
from tgllm.db.tables.models import Model, NewModel

SMALL = NewModel(
    provider="mine",
    model="small-1",
    title="Small",
    aliases=["small-latest"],
    context_window=128_000,
    mime_types=["application/pdf", "image/*"],
    reasoning=True,
    input_price=150_000,
    output_price=600_000,
    cached_price=15_000,
    price_as_of="2026-11-01",
)
TEXT = NewModel(provider="mine", model="text", title="Text", mime_types=["text/plain"])
OTHER = NewModel(provider="other", model="x", title="X")

PLUGIN = """
import json, os
from tgllm import hookimpl
from tgllm.api import ModelInfo, NotConfigured, PluginInfo, Provider, ProviderSpec, Unavailable

class Mine(Provider):
    async def list_models(self):
        found = json.loads(os.environ["MINE_MODELS"])
        if not isinstance(found, list):
            raise Unavailable("mine is out\\nof order")
        return [ModelInfo(**model) for model in found]

    async def generate(self, request):
        yield

def keyless(ctx):
    raise NotConfigured("set KEYLESS_API_KEY", variable="KEYLESS_API_KEY")

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="mine", title="Mine", api="1.0")

@hookimpl
def tgllm_providers():
    return [ProviderSpec("mine", "Mine", lambda ctx: Mine(), ("my",)), ProviderSpec("keyless", "Keyless", keyless)]
"""


def store(shell: Shell, *new: NewModel) -> None:
    """Put models into the database of the shell."""
    with shell.new_database() as conn:
        models.upsert(conn, new, NOW)


def stored(shell: Shell) -> Sequence[Model]:
    with shell.database() as conn:
        return models.list_all(conn)


def listed(shell: Shell, *args: str) -> list[dict[str, Any]]:
    return shell.reads("models", "list", "--json", *args, hints=True)


@pytest.fixture
def offers(
    monkeypatch: pytest.MonkeyPatch, install: Callable[..., None]
) -> Callable[[Sequence[dict[str, Any]] | None], None]:
    """Installs a plugin with two providers: one lists these models, or fails for None; the other has no key."""
    install("tgllm-mine", PLUGIN, tgllm={"mine": "tgllm_mine"})
    for name in ("GEMINI_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def offer(found: Sequence[dict[str, Any]] | None) -> None:
        monkeypatch.setenv("MINE_MODELS", json.dumps(found))

    return offer


Offers = Callable[[Sequence[dict[str, Any]] | None], None]


class TestList:
    def test_all_that_programs_may_want_to_know(self, shell: Shell) -> None:
        store(shell, SMALL, TEXT)
        small, text = listed(shell)

        assert small == {
            "model": "mine/small-1",
            "title": "Small",
            "aliases": ["small-latest"],
            "context_window": 128_000,
            "max_output_tokens": None,
            "vision": True,
            "files": True,
            "mime_types": ["application/pdf", "image/*"],
            "reasoning": True,
            "price": {"input": 0.15, "output": 0.6, "cached": 0.015, "cache_write": None, "as_of": "2026-11-01"},
            "default": False,
            "first_seen_at": "2026-09-21T14:13:20+00:00",
            "last_seen_at": "2026-09-21T14:13:20+00:00",
        }
        assert (text["vision"], text["files"], text["price"]) == (False, True, None)

    def test_a_line_for_each(self, shell: Shell) -> None:
        store(shell, SMALL, OTHER)
        lines = [line.split("\t") for line in shell.runs("models", "list").out.splitlines()]

        assert lines == [
            ["Model", "Context window", "Vision", "Files", "Reasoning", "USD per 1M tokens", "Default"],
            ["mine/small-1", "128,000", "yes", "yes", "yes", "0.15 in, 0.6 out, 0.015 cached", "-"],
            ["other/x", "-", "-", "-", "-", "unknown", "-"],
        ]

    def test_of_one_provider(self, shell: Shell) -> None:
        store(shell, SMALL, OTHER)

        assert [model["model"] for model in listed(shell, "--provider", "other")] == ["other/x"]

    def test_retired_ones_are_left_out(self, shell: Shell) -> None:
        store(shell, SMALL, TEXT)
        with shell.database() as conn:
            models.retire_missing(conn, "mine", ["text"], NOW)

        assert [model["model"] for model in listed(shell)] == ["mine/text"]

    @pytest.mark.parametrize("default", ["mine/small-1", "mine/small-latest"])
    def test_the_default_of_the_settings(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, default: str) -> None:
        store(shell, SMALL, TEXT, OTHER)
        monkeypatch.setenv("TGLLM_DEFAULT_MODEL", default)

        assert [model["model"] for model in listed(shell) if model["default"]] == ["mine/small-1"]

    def test_the_chosen_default_goes_first(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        store(shell, SMALL, TEXT, OTHER)
        monkeypatch.setenv("TGLLM_DEFAULT_MODEL", "mine/small-1")
        with shell.database() as conn:
            models.set_default(conn, ModelRef("other", "x"))

        assert [model["model"] for model in listed(shell) if model["default"]] == ["other/x"]
        assert [model["default"] for model in listed(shell, "--provider", "mine")] == [False, False]

    @pytest.mark.parametrize("name", ["mine/small-1", "mine/small-latest"])
    def test_the_operators_price(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        store(shell, SMALL, OTHER)
        monkeypatch.setenv("TGLLM_PRICES", json.dumps({name: {"input": 1, "output": 2}}))
        small, other = listed(shell)

        assert small["price"] == {"input": 1, "output": 2, "cached": None, "cache_write": None, "as_of": None}
        assert other["price"] is None

    def test_before_the_first_sync(self, shell: Shell) -> None:
        result = shell.runs("models", "list")

        assert (result.code, result.out) == (0, "")
        assert result.err == "tgllm: No models are known yet. Fetch their lists with: tgllm models sync\n"
        assert not shell.data_dir.exists()

    def test_json_before_the_first_sync(self, shell: Shell) -> None:
        assert listed(shell) == []

    def test_an_unknown_provider(self, shell: Shell) -> None:
        store(shell, SMALL, OTHER)
        result = shell.runs("models", "list", "--provider", "mistral")

        assert result.err == "tgllm: No models of mistral are known. Providers with models: mine, other\n"

    def test_wrong_settings(self, shell: Shell) -> None:
        assert shell.runs("models", "list", "--config", "no.toml").code == 2

    def test_a_broken_database(self, shell: Shell) -> None:
        shell.data_dir.mkdir()
        (shell.data_dir / "tgllm.db").write_text("this is no database" * 100)
        result = shell.runs("models", "list")

        assert result.code == 1
        assert "is damaged or no database" in result.err


class TestSync:
    def test_what_is_different(self, shell: Shell, offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "llm")
        offers([{"id": "a"}, {"id": "b"}])
        assert shell.runs("models", "sync").code == 0
        offers([{"id": "b", "context_window": 1000}, {"id": "c"}])
        result = shell.runs("models", "sync")
        lines = [line.split("\t") for line in result.out.splitlines()]

        assert (result.code, result.err) == (0, "")
        assert ["mine", "ok", "2", "1", "1", "1", ""] in lines
        assert ["keyless", "not configured", "-", "-", "-", "-", "set KEYLESS_API_KEY"] in lines
        assert lines[-4:] == [
            ["Change", "Model", "What"],
            ["new", "mine/c", ""],
            ["changed", "mine/b", "context_window: - -> 1000"],
            ["retired", "mine/a", ""],
        ]
        assert [str(model.ref) for model in stored(shell)] == ["echo/echo", "mine/b", "mine/c"]

    def test_for_programs(self, shell: Shell, offers: Offers) -> None:
        offers([{"id": "a"}])
        shell.runs("models", "sync")
        offers([{"id": "a", "title": "A"}])
        report = json.loads(shell.runs("models", "sync", "--json").out)

        assert report["lost_default"] is None
        assert {"mine", "echo", "keyless"} <= {entry["provider"] for entry in report["providers"]}
        assert next(entry for entry in report["providers"] if entry["provider"] == "mine") == {
            "provider": "mine",
            "state": "ok",
            "reason": "",
            "models": 1,
            "new": [],
            "changed": [{"model": "mine/a", "title": ["a", "A"]}],
            "retired": [],
        }

    def test_a_provider_that_fails_keeps_its_list(self, shell: Shell, offers: Offers) -> None:
        offers([{"id": "a"}])
        shell.runs("models", "sync")
        offers(None)
        result = shell.runs("models", "sync")

        assert (result.code, result.err) == (1, "tgllm: mine: mine is out of order\n")
        assert "mine\tfailed\t-\t-\t-\t-\tmine is out of order" in result.out
        assert "mine/a" in [str(model.ref) for model in stored(shell)]

    def test_json_of_a_failure(self, shell: Shell, offers: Offers) -> None:
        offers(None)
        result = shell.runs("models", "sync", "--json")

        assert result.code == 1
        assert ("mine", "failed", "mine is out of order") in [
            (entry["provider"], entry["state"], entry["reason"]) for entry in json.loads(result.out)["providers"]
        ]

    def test_a_default_that_is_gone_is_told(self, shell: Shell, offers: Offers) -> None:
        offers([{"id": "a"}, {"id": "b"}])
        shell.runs("models", "sync")
        shell.runs("models", "default", "mine/a")
        offers([{"id": "b"}])
        result = shell.runs("models", "sync")

        assert result.code == 0
        assert "mine/a, which answered by default, is not offered any more" in result.err

    def test_prices_are_shown_in_dollars(self, shell: Shell, offers: Offers) -> None:
        store(shell, NewModel(provider="mine", model="a", title="a", input_price=150_000, output_price=1))
        offers([{"id": "a"}])

        assert "input_price: 0.15 -> -" in shell.runs("models", "sync").out

    def test_wrong_settings_of_a_plugin(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_PLUGINS__ECHO__NO_SUCH", "1")

        assert shell.runs("models", "sync").code == 2


class TestDefault:
    @pytest.fixture(autouse=True)
    def _known(self, shell: Shell, offers: Offers) -> None:
        offers([{"id": "small-1", "aliases": ["small-latest"]}, {"id": "large-1"}])
        shell.runs("models", "sync")

    @pytest.mark.parametrize("ref", ["mine/small-1", "mine/small-latest", "my/small-1"])
    def test_is_chosen_by_any_of_its_names(self, shell: Shell, ref: str) -> None:
        result = shell.runs("models", "default", ref)

        assert (result.code, result.out) == (0, "The default model is mine/small-1.\n")
        assert [str(model.ref) for model in stored(shell) if model.is_default] == ["mine/small-1"]

    def test_is_shown(self, shell: Shell) -> None:
        assert shell.runs("models", "default").out == "The default model is echo/echo, as set in the config.\n"
        shell.runs("models", "default", "mine/large-1")
        assert shell.runs("models", "default").out == "The default model is mine/large-1.\n"

    def test_is_taken_back(self, shell: Shell) -> None:
        shell.runs("models", "default", "mine/small-1")

        assert "echo/echo, as set in the config" in shell.runs("models", "default", "--none").out
        assert not any(model.is_default for model in stored(shell))

    @pytest.mark.parametrize(
        ("ref", "words"),
        [
            ("mine/smal-1", "mine has no model 'smal-1'; did you mean mine/small-1?"),
            ("mine/zzzzzzzzzzzzzzzz", "mine has no model 'zzzzzzzzzzzzzzzz'"),
            ("mien/small-1", "no provider is called 'mien'; did you mean mine?"),
            (
                "keyless/x",
                "no model of keyless is known yet; if its key is set, fetch its list with: tgllm models sync",
            ),
            ("small", "'small' is no model reference: write provider/model"),
        ],
    )
    def test_a_wrong_name_is_told_and_changes_nothing(self, shell: Shell, ref: str, words: str) -> None:
        result = shell.runs("models", "default", ref)

        assert (result.code, result.out) == (1, "")
        assert words in result.err
        assert not any(model.is_default for model in stored(shell))

    def test_a_retired_model_is_told(self, shell: Shell, offers: Offers) -> None:
        offers([{"id": "large-1"}])
        shell.runs("models", "sync")

        assert "mine/small-1 is not offered any more" in shell.runs("models", "default", "mine/small-1").err

    def test_both_at_once_are_refused(self, shell: Shell) -> None:
        assert shell.runs("models", "default", "mine/small-1", "--none").code == 2

    def test_the_choice_is_audited(self, shell: Shell) -> None:
        shell.runs("models", "default", "mine/small-1")
        shell.runs("models", "default", "--none")
        with shell.database() as conn:
            second, first = audit.list_recent(conn, 5)

        assert (first.action, first.source) == ("models.default", "shell")
        assert first.details == {"before": None, "after": "mine/small-1"}
        assert second.details == {"before": "mine/small-1", "after": None}


PROBE = """
import json, sys
from tgllm.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules}), "tgllm.api.clock" in sys.modules]))
"""


def loaded(shell: Shell, *args: str) -> tuple[int, set[str], bool]:
    """The exit code of a command in a fresh Python, the top-level modules that it loads, and whether a clock is."""
    program = [sys.executable, "-c", PROBE, *args]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True, cwd=shell.folder)
    code, names, clock = json.loads(done.stdout.splitlines()[-1])
    return code, set(names), clock


def test_a_sync_loads_neither_telegrams_library_nor_an_sdk_that_is_not_used(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEMINI_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    code, names, _ = loaded(shell, "models", "sync")

    assert code == 0
    assert {"tgllm_gemini", "tgllm_mistral", "tgllm_dipseek", "tgllm_openai", "tgllm_anthropic"} <= names
    assert not {"aiogram", "anthropic", "google", "mistralai", "openai"} & names


@pytest.mark.parametrize("command", [("list",), ("list", "--json"), ("default",)])
def test_the_other_commands_load_no_telegram_either(shell: Shell, command: Sequence[str]) -> None:
    store(shell, SMALL)
    code, names, _ = loaded(shell, "models", *command)

    assert code == 0
    assert "aiogram" not in names


def test_a_list_loads_no_plugin_and_no_event_loop(shell: Shell, tmp_path: Path) -> None:
    store(shell, SMALL)
    code, names, clock = loaded(shell, "models", "list")

    assert (code, clock) == (0, False)
    assert (
        not {"aiosqlite", "structlog", "tgllm_gemini", "tgllm_mistral", "tgllm_dipseek", "tgllm_openai", "apscheduler"}
        & names
    )
