"""The plugin and the test of the guide work as they stand on the page."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from docs_support import blocks
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator

PLUGIN, TEST = blocks("howto/write-a-command-with-buttons.md")


@pytest.fixture
def page() -> Iterator[dict[str, Any]]:
    """The names of the test on the page, with the plugin on the page as an installed module."""
    plugin = ModuleType("tgllm_tea")
    exec(PLUGIN, plugin.__dict__)
    sys.modules["tgllm_tea"] = plugin
    names: dict[str, Any] = {}
    exec(TEST, names)
    yield names
    del sys.modules["tgllm_tea"]


async def test_the_test_on_the_page_passes(emu: Emulator, tmp_path: Path, page: dict[str, Any]) -> None:
    await page["test_tea"](emu, partial(running_bot, emu, tmp_path))
