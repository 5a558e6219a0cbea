"""The tables of docs/reference/kinds-of-chats.md, those of the code, and aiogram's models have the same fields."""

import re
from pathlib import Path

import pytest
from aiogram.types import CallbackQuery, Chat, Message, TelegramObject, Update

from tgllm.bot.updates.contents import CONTENT
from tgllm.bot.updates.fields import FIELDS, PLAIN_FIELDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "kinds-of-chats.md").read_text()
MODELS: dict[str, type[TelegramObject]] = {
    "Update": Update,
    "Message": Message,
    "CallbackQuery": CallbackQuery,
    "Chat": Chat,
}
SECTIONS = {
    "Update": "Updates",
    "Message": "Messages",
    "CallbackQuery": "Button presses",
    "Chat": "Chats in updates",
}


def documented(section: str) -> dict[str, str]:
    """The fields of a section's table, with what the bot does."""
    _, _, rest = PAGE.partition(f"\n## {section}\n")
    text, _, _ = rest.partition("\n## ")
    return dict(re.findall(r"^\| `(\w+)` \| .* \| (\w+) \|$", text, re.MULTILINE))


@pytest.mark.parametrize("kind", MODELS)
def test_each_field_of_the_bot_api_is_decided(kind: str) -> None:
    fields = {field.alias or name for name, field in MODELS[kind].model_fields.items()}
    decided = FIELDS[kind].keys() | PLAIN_FIELDS[kind]
    assert sorted(fields ^ decided) == [], (
        "decide what a new field means, in bot/updates/fields.py and in the reference"
    )
    assert FIELDS[kind].keys().isdisjoint(PLAIN_FIELDS[kind])


@pytest.mark.parametrize("kind", MODELS)
def test_the_reference_has_the_decisions_of_the_code(kind: str) -> None:
    assert documented(SECTIONS[kind]) == dict(FIELDS[kind])


def test_the_reference_says_what_each_content_is() -> None:
    assert documented("Contents of messages") == dict(CONTENT)
