"""The page about the chat says what the command table says."""

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from docs_support import read_page
from tgllm.bot.assembly import own_commands
from tgllm.i18n import Catalogue
from tgllm.i18n.catalogue import texts_of
from tgllm.plugins.builtin.basics import tgllm_commands

if TYPE_CHECKING:
    from tgllm.api import PluginContext

PAGE = read_page("reference/chat.md")


def row(name: str, aliases: tuple[str, ...], access: str, description: str) -> str:
    also = " ".join(f"`/{alias}`" for alias in aliases)
    return f"| `/{name}` | {also} | {access} | {description} |"


def test_every_command_stands_there_as_it_is() -> None:
    texts = Catalogue()
    context = cast("PluginContext", SimpleNamespace(texts=texts))
    own = [row(known.name, known.aliases, known.access, known.describe("en")) for known in own_commands(texts)]
    plugins = [row(known.name, known.aliases, known.access, known.description) for known in tgllm_commands(context)]

    assert [line for line in PAGE.splitlines() if line.startswith("| `/")] == own + plugins


def test_every_button_of_an_answer_stands_there() -> None:
    labels = {str(text) for key, text in texts_of("en").items() if re.match(r"button\.|send\.button_", key)}
    shown = re.findall(r"^\| ([^|]+) \|", PAGE.partition("## Buttons")[2], re.MULTILINE)

    assert set(shown) - {"button", "---"} == labels
