"""``tgllm init`` called beside an emulated Telegram and a fake provider."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli_support import Init, Shell
from tgllm.testing.emulator import Emulator
from tgllm.testing.fake_providers import FakeMistral


@pytest.fixture
def path(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file to be written."""
    found = home / "etc" / "tgllm.toml"
    monkeypatch.setenv("TGLLM_CONFIG", str(found))
    return found


@pytest.fixture
async def mistral() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as fake:
        yield fake


@pytest.fixture
def init(shell: Shell, path: Path, emu: Emulator, mistral: FakeMistral, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Calls ``tgllm init`` with these answers and options; the plugin mistral has the fake provider's address."""
    monkeypatch.setenv("TGLLM_TELEGRAM_API", emu.base_url)
    monkeypatch.setenv("TGLLM_PLUGINS__MISTRAL__BASE_URL", mistral.base_url)
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "gemini,dipseek,llm,local,openai,anthropic")
    monkeypatch.setattr("tgllm.services.setup.unit.has_systemd", lambda: False)
    for name in ("MISTRAL_API_KEY", "GEMINI_API_KEY", "DEEPSEEK_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    async def call(*lines: str, options: tuple[str, ...] = ()) -> object:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return await asyncio.to_thread(shell.runs, "init", *options)

    return call
