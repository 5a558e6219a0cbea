"""``tgllm chat`` with a fake of the Mistral API."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from terminal_support import MODEL, Chat, TerminalProgram, Terminals, in_terminal
from tgllm.testing.fake_providers import FakeMistral


@pytest.fixture
async def mistral() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as fake:
        yield fake


@pytest.fixture
def chat(tmp_path: Path, mistral: FakeMistral) -> Chat:
    """A folder without a config file; the key of one provider is set, and there is no token."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TGLLM_", "XDG_"))}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        kept.pop(name, None)
    variables = {
        **kept,
        "HOME": str(tmp_path),
        "TGLLM_DATA_DIR": str(tmp_path / "data"),
        "TGLLM_TOOLS__ENABLED": "false",
        "MISTRAL_API_KEY": mistral.key,
        "TGLLM_PLUGINS__MISTRAL__BASE_URL": mistral.base_url,
        "TGLLM_DEFAULT_MODEL": MODEL,
    }
    return Chat(tmp_path, variables)


@pytest.fixture
async def terminal(chat: Chat) -> AsyncIterator[Terminals]:
    """Runs ``tgllm chat`` in a terminal; what still runs at the end is killed."""
    programs: list[TerminalProgram] = []

    async def start(*args: str, size: tuple[int, int] = (80, 24), **variables: str) -> TerminalProgram:
        program = await in_terminal(
            "chat", *args, cwd=chat.folder, variables={**chat.variables, **variables}, size=size
        )
        programs.append(program)
        return program

    yield start
    for program in programs:
        if program.process.returncode is None:
            program.process.send_signal(signal.SIGKILL)
            await program.process.wait()
        program.close()
