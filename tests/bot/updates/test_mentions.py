"""Which messages of a group are for the bot, as their entities say."""

from typing import Any

import pytest

from tgllm.bot.updates.address import without_mentions
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import read_written
from tgllm.bot.updates.mentions import is_raw_heard, speaks_to_bot

BOT_ID = 42
BOT = {"id": BOT_ID, "is_bot": True, "first_name": "Demo", "username": "demo_bot"}
ANN = {"id": 7, "is_bot": False, "first_name": "Ann"}
URL = "https://example.com/@demo_bot/post"


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def is_for_the_bot(text: str, *entities: Any) -> bool:
    written = read_written(text, list(entities))
    heard = speaks_to_bot(BOT_ID, "demo_bot", written, None, is_own=True)
    raw = {"text": text, "entities": list(entities), "chat": {"id": -5, "type": "supergroup"}, "from": ANN}
    assert is_raw_heard(raw, BOT_ID, "demo_bot", "mention") is heard
    return heard


def question(text: str, *entities: Any) -> str:
    return markdown_of(without_mentions(read_written(text, list(entities)), BOT_ID, "demo_bot"))


@pytest.mark.parametrize(
    ("text", "entities", "expected"),
    [
        ("@demo_bot hi", [entity("mention", 0, 9)], "hi"),
        ("@Demo_Bot: hi", [entity("mention", 0, 9)], "hi"),
        ("\U0001f389 @demo_bot hi", [entity("mention", 3, 9)], "\U0001f389 hi"),
        ("Demo, hi", [entity("text_mention", 0, 4, user=BOT)], "hi"),
        ("thanks, Demo!", [entity("text_mention", 8, 4, user=BOT)], "thanks!"),
        ("is Demo asleep?", [entity("text_mention", 3, 4, user=BOT)], "is Demo asleep?"),
        ("@demo_bot so bold", [entity("mention", 0, 9), entity("bold", 10, 7)], "**so bold**"),
        ("@demo_bot so bold", [entity("bold", 0, 17), entity("mention", 0, 9)], "**so bold**"),
        (f"@demo_bot see {URL}", [entity("mention", 0, 9), entity("url", 14, len(URL))], f"see {URL}"),
        ("@demo_bot `@demo_bot`", [entity("mention", 0, 9)], "`@demo_bot`"),
        ("@demo_bot is @demo_bot2 you?", [entity("mention", 0, 9), entity("mention", 13, 10)], "is @demo_bot2 you?"),
        ("@demo_bot x@demo_bot.org", [entity("mention", 0, 9), entity("email", 10, 14)], "x@demo_bot.org"),
        ("hi @demo_bot", [entity("bold", 0, 2)], "**hi**"),
        (
            "@demo_bot\n    x = 1",
            [entity("mention", 0, 9), entity("pre", 10, 9, language="py")],
            "```py\n    x = 1\n```",
        ),
    ],
)
def test_a_mention_of_the_bot_is_for_it_and_left_out(text: str, entities: list[Any], expected: str) -> None:
    assert is_for_the_bot(text, *entities)
    assert question(text, *entities) == expected


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("Ann, hi", [entity("text_mention", 0, 3, user=ANN)]),
        (f"see {URL}", [entity("url", 4, len(URL))]),
        ("see example.com/@demo_bot", [entity("url", 4, 21)]),
        (f"see {URL}", []),
        ("see https://example.com/?by=@demo_bot&x", []),
        ("see https://example.com/?x&@demo_bot", []),
        ("see this", [entity("text_link", 4, 4, url="https://t.me/@demo_bot")]),
        ("see @demo_bot", [entity("text_link", 4, 9, url="https://example.com")]),
        ("run @demo_bot", [entity("code", 4, 9)]),
        ("run\n@demo_bot x", [entity("pre", 4, 11)]),
        ("@demo_bot@example.com", [entity("email", 0, 21)]),
        ("ann@demo_bot.org", [entity("email", 0, 16)]),
        ("@demo_bot_two hi", [entity("mention", 0, 13)]),
        ("@demo_bot_two hi", []),
        ("@other hi", [entity("mention", 0, 6)]),
        ("Demo, hi", [entity("text_mention", 0, 4, user={"id": "42"})]),
        ("Demo, hi", [entity("text_mention", 0, 4)]),
    ],
)
def test_anything_else_with_its_name_is_not_and_stays(text: str, entities: list[Any]) -> None:
    assert not is_for_the_bot(text, *entities)
    if not any(each["type"] in {"code", "pre", "text_link"} for each in entities):
        assert question(text, *entities) == text


@pytest.mark.parametrize(
    ("text", "entities", "heard"),
    [
        ("/ask@demo_bot x", [entity("bot_command", 0, 13)], True),
        ("/ask x", [entity("bot_command", 0, 4)], True),
        ("/ask@other_bot @demo_bot", [entity("bot_command", 0, 14), entity("mention", 15, 9)], False),
        ("/ask x", [entity("code", 0, 4)], False),
        ("x /ask@demo_bot", [entity("bot_command", 2, 13)], False),
    ],
)
def test_commands_are_for_the_bot_unless_they_name_another(text: str, entities: list[Any], heard: bool) -> None:
    assert is_for_the_bot(text, *entities) is heard


def test_many_mentions_are_left_out_in_one_pass() -> None:
    text = "@demo_bot word " * 300
    entities = [entity("mention", 15 * number, 9) for number in range(300)]
    assert question(text, *entities) == " ".join(["word"] * 300)
