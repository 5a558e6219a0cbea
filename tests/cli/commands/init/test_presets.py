"""Services that a plugin knows by name: chosen in ``tgllm init`` by that name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli_support import Init, Shell, settings
from tgllm.testing.emulator import Emulator
from tgllm.testing.fake_providers import FakeOpenAI

PREFIX = "TGLLM_PLUGINS__OPENAI__SERVICES__"


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI("groq") as server:
        yield server


@pytest.fixture(autouse=True)
def plugins(init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "anthropic,gemini,dipseek,llm,local,mistral,whisper")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def services(path: Path) -> Any:
    return settings(path)["plugins"]["openai"]["services"]


async def test_names_are_shown_in_one_line_beside_the_installed_providers(init: Init, emu: Emulator) -> None:
    result = await init(emu.token, "12", "0")

    (line,) = (line for line in result.out.splitlines() if "name of a service" in line)
    assert "groq, " in line
    assert "my_server" in line
    assert "1  OpenAI (openai): needs a key" in result.out
    assert len(result.out.splitlines()) < 60


async def test_a_name_and_a_key_are_enough(
    init: Init, path: Path, emu: Emulator, fake: FakeOpenAI, shell: Shell
) -> None:
    result = await init(emu.token, "12", "groq", fake.key, "large", options=("--base-url", fake.base_url))

    assert result.code == 0, result.err
    assert services(path) == {"groq": {"preset": "groq", "api_key": fake.key, "base_url": fake.base_url}}
    assert settings(path)["default_model"] == "groq/large"
    synced = await asyncio.to_thread(shell.runs, "models", "sync")
    assert synced.code == 0, synced.err
    assert "groq/small" in synced.out


async def test_a_refused_key_is_asked_for_again(init: Init, path: Path, emu: Emulator, fake: FakeOpenAI) -> None:
    options = ("--base-url", fake.base_url)
    result = await init(emu.token, "12", "Groq", "wrong-key", fake.key, "large", options=options)

    assert result.code == 0, result.err
    assert services(path)["groq"]["api_key"] == fake.key


async def test_the_usual_variable_of_the_service_is_enough(
    init: Init, path: Path, emu: Emulator, fake: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", fake.key)
    monkeypatch.setenv("TGLLM_BOT_TOKEN", emu.token)
    options = ("--yes", "--admin", "12", "--provider", "groq", "--base-url", fake.base_url, "--model", "groq/small")
    result = await init(options=options)

    assert result.code == 0, result.err
    assert services(path)["groq"]["preset"] == "groq"
    assert settings(path)["default_model"] == "groq/small"


async def test_a_service_of_ones_own_needs_its_address(init: Init, path: Path, emu: Emulator) -> None:
    async with FakeOpenAI("vllm") as server:
        result = await init(emu.token, "12", "my_server", server.base_url, "", "large")

    assert result.code == 0, result.err
    assert services(path) == {"my_server": {"base_url": server.base_url}}
    assert settings(path)["default_model"] == "my_server/large"


async def test_a_name_that_nothing_has_is_answered_with_the_closest(init: Init, emu: Emulator) -> None:
    result = await init(emu.token, options=("--yes", "--admin", "12", "--token-file", "-", "--provider", "grok"))

    assert result.code != 0
    assert "did you mean groq" in result.err
