"""Hooks of the plugin, and what it does without loading llm."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tgllm.api import NotConfigured, ProviderError
from tgllm.testing.clock import ManualClock
from tgllm.testing.making import Make
from tgllm_llm import presence, provider
from tgllm_llm.listing import Listed, listed_elsewhere
from tgllm_llm.plugin import tgllm_doctor, tgllm_providers
from tgllm_llm.provider import LlmProvider
from tgllm_llm.settings import Settings

PROBE = """
import sys
from tgllm_llm.plugin import *
from tgllm_llm.settings import Settings
from types import SimpleNamespace
import tgllm_llm.provider
assert tgllm_plugin_info().id == "llm"
assert tgllm_providers()
assert tgllm_doctor(SimpleNamespace(settings=Settings()))
print(*({"llm", "openai", "sqlite_utils"} & sys.modules.keys()))
"""


def check(**settings: Any) -> str:
    (found,) = tgllm_doctor(cast("Any", SimpleNamespace(settings=Settings(**settings))))
    return f"{found.state}: {found.detail}"


def test_the_hooks_load_nothing_of_llm() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_the_doctor_lists_the_plugins_of_llm(tmp_path: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check().startswith("ok: llm 0.")
    assert check(user_path=str(tmp_path / "none")).startswith("failed: user_path: there is no folder")
    (own_folder / "keys.json").unlink()
    monkeypatch.setattr(presence, "packages", lambda: {"llm": "0.36"})
    assert check().startswith("not configured: install a plugin of llm")
    assert check(models=["gpt-4o"]) == "ok: llm 0.36"
    assert [spec.id for spec in tgllm_providers()] == ["llm"]


async def test_without_a_plugin_of_llm_it_says_what_to_do(
    make: Make, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_folder / "keys.json").unlink()
    monkeypatch.setattr(presence, "packages", lambda: {"llm": "0.36"})
    with pytest.raises(NotConfigured, match="install a plugin of llm"):
        await make()


def test_no_key_is_shown() -> None:
    settings = Settings.model_validate({"keys": {"a": "sk-0123456789"}, "models": "a*, b !c"})
    assert "sk-0123456789" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.models == ("a*", "b", "!c")


async def test_the_list_is_made_in_another_process(own_folder: Path) -> None:
    found = await listed_elsewhere(["gpt-4o*", "!gpt-4o-mini"])
    assert found[0] == Listed("gpt-4o", ("4o",), found[0].mime_types, False, "openai", "OPENAI_API_KEY", has_key=False)
    assert "image/png" in found[0].mime_types


async def test_a_process_that_fails_says_why(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(own_folder / "keys.json"))
    with pytest.raises(ProviderError, match=r"can't be loaded: FileExistsError.*keys\.json"):
        await listed_elsewhere([])


async def test_a_list_is_kept_for_the_next_start(
    tmp_path: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    async def listed(patterns: object) -> list[Listed]:
        calls.append(patterns)
        return [Listed("m", ("a",), ("image/png",), reasoning=True)]

    monkeypatch.setattr(provider, "listed_elsewhere", listed)
    monkeypatch.delitem(sys.modules, "llm", raising=False)
    clock = ManualClock()

    async def models() -> list[str]:
        made = LlmProvider(Settings(), clock, cast("Any", None), tmp_path)
        return [model.id for model in await made.list_models()]

    for seconds, count in [(0, 1), (3600, 1), (12 * 3600, 2)]:
        await clock.advance(seconds)
        assert (await models(), len(calls)) == (["m"], count)
    # The keys have changed.
    (own_folder / "keys.json").write_text(json.dumps({"local": "k"}))
    (own_folder / "aliases.json").write_text("{}")
    assert (await models(), len(calls)) == (["m"], 3)
