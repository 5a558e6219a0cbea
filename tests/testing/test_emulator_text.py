"""Entities, parse modes and limits in UTF-16 units."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tgllm.testing.emulator import EmulatedChat
from tgllm.testing.emulator.text import slice_utf16

Call = Callable[..., Awaitable[Any]]


def entity(kind: str, offset: int, length: int, **extra: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **extra}


@pytest.mark.parametrize(
    ("entities", "words"),
    [
        ([entity("bold", 1, 1)], "entity begins in a middle of a UTF-16 symbol at byte offset 4"),
        (
            [entity("bold", 0, 1)],
            "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4",
        ),
        (
            [entity("bold", 2, 9)],
            "entity beginning at UTF-16 offset 2 ends after the end of the text at UTF-16 offset 11",
        ),
        ([entity("bold", 9, 1)], "entity begins after the end of the text at UTF-16 offset 9"),
        ([{"type": "bold", "offset": 0}], 'can\'t parse MessageEntity: field "length" must be a Number'),
        ("nonsense", "can't parse message entities JSON object"),
    ],
)
async def test_bad_entities(chat: EmulatedChat, refused: Call, entities: Any, words: str) -> None:
    answer = await refused("sendMessage", chat_id=chat.id, text="👉 ab", entities=entities)
    assert answer == f"400 Bad Request: {words}"


async def test_trimming_moves_entities(chat: EmulatedChat, api: Call) -> None:
    sent = await api(
        "sendMessage", chat_id=chat.id, text="\n 🎉 ok \n", entities=[entity("bold", 0, 7), entity("italic", 5, 2)]
    )
    assert sent["text"] == "🎉 ok"
    assert sent["entities"] == [entity("bold", 0, 5), entity("italic", 3, 2)]


async def test_overlaps_are_cut_and_code_is_bare(chat: EmulatedChat, api: Call) -> None:
    sent = await api(
        "sendMessage",
        chat_id=chat.id,
        text="0123456789",
        entities=[entity("bold", 0, 4), entity("italic", 2, 4), entity("code", 6, 4), entity("bold", 7, 1)],
    )
    assert sent["entities"] == [
        entity("bold", 0, 4),
        entity("italic", 2, 2),
        entity("italic", 4, 2),
        entity("code", 6, 4),
    ]


async def test_at_most_a_hundred_entities_are_kept(chat: EmulatedChat, api: Call) -> None:
    entities = [entity("bold", 2 * n, 1) for n in range(120)]
    sent = await api("sendMessage", chat_id=chat.id, text="a " * 120, entities=entities)
    assert len(sent["entities"]) == 100


async def test_4096_units_pass(chat: EmulatedChat, api: Call) -> None:
    sent = await api("sendMessage", chat_id=chat.id, text="🎉" * 2048)
    assert len(sent["text"]) == 2048


@pytest.mark.parametrize(
    ("parse_mode", "text", "plain", "entities"),
    [
        (
            "HTML",
            '🎉 <b>b <i>i</i></b> &lt;x&gt; <a href="https://e.org/">l</a>',
            "🎉 b i <x> l",
            [
                entity("bold", 3, 3),
                entity("italic", 5, 1),
                entity("text_link", 11, 1, url="https://e.org/"),
            ],
        ),
        (
            "html",
            '<pre><code class="language-python">x</code></pre><blockquote expandable>q</blockquote>',
            "xq",
            [entity("pre", 0, 1, language="python"), entity("expandable_blockquote", 1, 1)],
        ),
        (
            "MarkdownV2",
            "*b _i_* __u__ ~s~ ||x|| `c` [l](https://e.org/\\)) \\.",
            "b i u s x c l .",
            [
                entity("bold", 0, 3),
                entity("italic", 2, 1),
                entity("underline", 4, 1),
                entity("strikethrough", 6, 1),
                entity("spoiler", 8, 1),
                entity("code", 10, 1),
                entity("text_link", 12, 1, url="https://e.org/)"),
            ],
        ),
        (
            "MarkdownV2",
            "```py\nx\n```\n>q\n>r\nend",
            "x\n\nq\nr\nend",
            [entity("pre", 0, 2, language="py"), entity("blockquote", 3, 4)],
        ),
        ("Markdown", "*b* _i_ 1.5!", "b i 1.5!", [entity("bold", 0, 1), entity("italic", 2, 1)]),
    ],
)
async def test_parse_modes(
    chat: EmulatedChat, api: Call, parse_mode: str, text: str, plain: str, entities: list[dict[str, Any]]
) -> None:
    sent = await api("sendMessage", chat_id=chat.id, text=text, parse_mode=parse_mode)
    assert sent["text"] == plain
    assert sent["entities"] == entities


@pytest.mark.parametrize(
    ("parse_mode", "text", "words"),
    [
        ("HTML", "<b>x", "can't parse entities: can't find end tag corresponding to start tag \"b\""),
        ("HTML", "x</b>", 'can\'t parse entities: unexpected end tag "b"'),
        ("HTML", "<table>", 'can\'t parse entities: unsupported start tag "table"'),
        (
            "MarkdownV2",
            "1.5",
            "can't parse entities: character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        ("MarkdownV2", "*x", "can't parse entities: can't find end of the entity starting at byte offset 0"),
        ("rst", "x", "unsupported parse_mode"),
    ],
)
async def test_broken_markup(chat: EmulatedChat, refused: Call, parse_mode: str, text: str, words: str) -> None:
    answer = await refused("sendMessage", chat_id=chat.id, text=text, parse_mode=parse_mode)
    assert answer == f"400 Bad Request: {words}"


async def test_links_mentions_and_addresses_are_found(chat: EmulatedChat, api: Call) -> None:
    text = "🎉 https://e.org/a?b, @someone #tag me@e.org /go"
    sent = await api("sendMessage", chat_id=chat.id, text=text)
    found = {e["type"]: slice_utf16(text, e["offset"], e["length"]) for e in sent["entities"]}
    assert found == {
        "url": "https://e.org/a?b",
        "mention": "@someone",
        "hashtag": "#tag",
        "email": "me@e.org",
        "bot_command": "/go",
    }
