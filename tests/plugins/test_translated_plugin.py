"""The plugin of docs/howto/translate-a-plugin.md has its texts in two languages, as it stands on the page."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from docs_support import blocks, read_page
from plugin_support import LoadHost
from tgllm.api import CommandCall, TgllmError

PAGE = "howto/translate-a-plugin.md"
ENGLISH, RUSSIAN, ERROR = blocks(PAGE, "toml")
INFO, COMMANDS, RAISE = blocks(PAGE)
IMPORTS = """
from pathlib import Path
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginContext, PluginInfo
"""


@pytest.fixture
async def plugin(site: Any, load_host: LoadHost) -> Any:
    """The command of the page's plugin."""
    texts = site.folder / "texts"
    texts.mkdir()
    # A key before the first table belongs to no table.
    (texts / "en.toml").write_text(ERROR + ENGLISH, encoding="utf-8")
    (texts / "ru.toml").write_text(RUSSIAN, encoding="utf-8")
    site.add("tgllm-sheep", "1.0", {"sheep": "tgllm_sheep"}, {"tgllm_sheep": IMPORTS + INFO + COMMANDS})
    host = await load_host()
    assert [record.reason for record in host.records if record.id == "sheep"] == [""]
    (command,) = [owned for owned in host.commands if owned.plugin_id == "sheep"]
    return command


async def test_people_read_their_language(plugin: Any) -> None:
    async def count(language: str) -> str:
        user = SimpleNamespace(language=language, name="Ann")
        return await plugin.command.handler(
            CommandCall("count", "", cast("Any", user), cast("Any", None), plugin.context)
        )

    assert await count("en") == "3 sheep jump, Ann."
    assert await count("ru") == "Ann, прыгают 3 овцы."
    assert plugin.command.description == "Count sheep"
    assert plugin.command.descriptions == {"ru": "Посчитать овец"}


async def test_the_error_has_its_text(plugin: Any) -> None:
    with pytest.raises(TgllmError) as raised:
        exec(RAISE, {"TgllmError": TgllmError})

    error = raised.value
    assert plugin.context.texts(error.code, "en", **error.params) == "The sheep sleep until 8:00."
    assert f"`{error}`" in read_page(PAGE)
