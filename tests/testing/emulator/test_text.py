"""Entities, parse modes and limits in UTF-16 units."""

from typing import Any

import pytest
from aiogram.types import Message

from emulator_support import Call
from tgllm.testing.emulator import EmulatedChat, EmulatedUser
from tgllm.testing.emulator.markup.text import slice_utf16

UNPAIRED = (
    "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units"
)


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
        ([entity("shiny", 0, 1)], "can't parse MessageEntity: Unsupported type specified"),
        ([entity("text_link", 0, 2)], "can't parse MessageEntity: Can't find field \"url\""),
        ([entity("text_link", 0, 2, url="localhost")], "entity URL 'localhost' is invalid: Wrong HTTP URL"),
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
        (
            "MarkdownV2",
            ">a\n>b||\nc\n**>d ![👍](tg://emoji?id=5) `\\``",
            "a\nb\nc\nd 👍 `",
            [
                entity("expandable_blockquote", 0, 4),
                entity("blockquote", 6, 6),
                entity("custom_emoji", 8, 2, custom_emoji_id="5"),
                entity("code", 11, 1),
            ],
        ),
        ("Markdown", "*b* _i_ 1.5!", "b i 1.5!", [entity("bold", 0, 1), entity("italic", 2, 1)]),
        (
            "Markdown",
            "*a _b_* \\_ [l](https://e.org/)",
            "a _b_ _ l",
            [entity("bold", 0, 5), entity("text_link", 8, 1, url="https://e.org/")],
        ),
        ("HTML", "&lt;&nbsp;&#233;&quot", '<&nbsp;é"', []),
        (
            "HTML",
            '<tg-time unix="1700000000" format="wD">then</tg-time> <code class="language-py">x</code> <a>e.org/a</a>',
            "then x e.org/a",
            [
                entity("date_time", 0, 4, unix_time=1700000000, date_time_format="wD"),
                entity("code", 5, 1),
                entity("text_link", 7, 7, url="e.org/a"),
            ],
        ),
    ],
)
async def test_parse_modes(
    chat: EmulatedChat, api: Call, parse_mode: str, text: str, plain: str, entities: list[dict[str, Any]]
) -> None:
    sent = await api("sendMessage", chat_id=chat.id, text=text, parse_mode=parse_mode)
    assert sent["text"] == plain
    assert sent.get("entities", []) == entities


@pytest.mark.parametrize(
    ("parse_mode", "text", "words"),
    [
        ("HTML", "<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("HTML", "é</b>", "Unexpected end tag at byte offset 2"),
        ("HTML", "<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("HTML", "é <table>", 'Unsupported start tag "table" at byte offset 3'),
        ("HTML", "1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("HTML", "1<2", "Unclosed start tag at byte offset 1"),
        ("HTML", "<!-- x -->", 'Unsupported start tag "!--" at byte offset 0'),
        ("HTML", "<b =1>x</b>", 'Empty attribute name in the tag "b" at byte offset 0'),
        ("HTML", "<b a=", 'Unclosed start tag "b" at byte offset 0'),
        ("HTML", "<a href='x>y</a>", "Unclosed start tag at byte offset 0"),
        ("HTML", "<a href=a:b>y</a>", "Unexpected end of name token at byte offset 8"),
        ("HTML", "<b>x</b ", "Unclosed end tag at byte offset 4"),
        ("HTML", "<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("HTML", '<tg-emoji emoji-id="x">x</tg-emoji>', "Invalid custom emoji identifier specified"),
        ("HTML", "<tg-time>x</tg-time>", "Invalid Unix time specified"),
        (
            "HTML",
            "&#xDFDF;",
            UNPAIRED,
        ),
        ("MarkdownV2", "1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("MarkdownV2", "x >", "Character '>' is reserved and must be escaped with the preceding '\\'"),
        ("MarkdownV2", "🎉*x", "Can't find end of Bold entity at byte offset 4"),
        ("MarkdownV2", "_x*y_", "Can't find end of Italic entity at byte offset 4"),
        ("MarkdownV2", ">*x\ny*", "Can't find end of Bold entity at byte offset 1"),
        ("MarkdownV2", "é`x\\`", "Can't find end of Code entity at byte offset 2"),
        ("MarkdownV2", "```x", "Can't find end of Pre entity at byte offset 0"),
        ("MarkdownV2", "```py\nx", "Can't find end of PreCode entity at byte offset 0"),
        ("MarkdownV2", "[x](y\\)", "Can't find end of a URL at byte offset 4"),
        ("MarkdownV2", "![x]", "Custom emoji entity must contain a tg://emoji URL"),
        ("MarkdownV2", "![x](tg://emoji?id=1", "Can't find end of a custom emoji URL at byte offset 5"),
        ("Markdown", "é_x", "Can't find end of the entity starting at byte offset 2"),
        ("Markdown", "snake_case", "Can't find end of the entity starting at byte offset 5"),
    ],
)
async def test_broken_markup(chat: EmulatedChat, refused: Call, parse_mode: str, text: str, words: str) -> None:
    answer = await refused("sendMessage", chat_id=chat.id, text=text, parse_mode=parse_mode)
    assert answer == f"400 Bad Request: can't parse entities: {words}"


async def test_a_parse_mode_that_there_is_not_is_refused(chat: EmulatedChat, refused: Call) -> None:
    assert await refused("sendMessage", chat_id=chat.id, text="x", parse_mode="rst") == (
        "400 Bad Request: unsupported parse_mode"
    )


async def test_markup_counts_up_to_a_limit_of_its_own(chat: EmulatedChat, api: Call, refused: Call) -> None:
    text = "<b></b>" * 4681
    await api("sendMessage", chat_id=chat.id, text=f"{text}x", parse_mode="HTML")
    words = await refused("sendMessage", chat_id=chat.id, text=f"{text}xx", parse_mode="HTML")
    assert words == "400 Bad Request: text is too long"


async def test_a_parse_mode_goes_before_entities(chat: EmulatedChat, api: Call) -> None:
    italic = [entity("italic", 0, 1)]
    sent = await api("sendMessage", chat_id=chat.id, text="<b>x</b>", parse_mode="HTML", entities=italic)
    assert sent["entities"] == [entity("bold", 0, 1)]
    sent = await api("sendMessage", chat_id=chat.id, text="<b>x</b>", parse_mode="none", entities=italic)
    assert (sent["text"], sent["entities"]) == ("<b>x</b>", italic)


async def test_who_is_mentioned_by_id_is_told_and_nobody_is_not(
    ann: EmulatedUser, chat: EmulatedChat, api: Call
) -> None:
    text = f'<a href="tg://user?id={ann.id}">her</a> <a href="tg://user?id=5">nobody</a> <a href="nowhere">x</a>'
    sent = await api("sendMessage", chat_id=chat.id, text=text, parse_mode="HTML")
    (mention,) = sent["entities"]
    assert (sent["text"], mention["user"]["first_name"]) == ("her nobody x", "Ann")
    assert Message.model_validate(sent).entities is not None


async def test_what_is_found_may_be_bold_but_is_not_looked_for_in_code(chat: EmulatedChat, api: Call) -> None:
    text = "<b>see https://e.org/a</b> <code>/x</code> <i>/go</i>"
    sent = await api("sendMessage", chat_id=chat.id, text=text, parse_mode="HTML")
    assert sent["entities"] == [
        entity("bold", 0, 19),
        entity("url", 4, 15),
        entity("code", 20, 2),
        entity("italic", 23, 3),
        entity("bot_command", 23, 3),
    ]


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


async def test_tabs_become_spaces_and_carriage_returns_go(chat: EmulatedChat, api: Call) -> None:
    bold = [entity("bold", 1, 4), entity("code", 6, 4)]
    sent = await api("sendMessage", chat_id=chat.id, text="\ta\r\nb\u202e c\x00\u2028d", entities=bold)
    assert (sent["text"], sent["entities"]) == ("a\nb c d", [entity("bold", 0, 3), entity("code", 3, 3)])
