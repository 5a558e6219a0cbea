"""Rich messages and rich drafts: the three forms, edits between text and rich, the limits."""

from typing import Any

import pytest
from aiogram.types import Message

from emulator_support import Call
from tgllm.testing.emulator import EmulatedChat

HTML = """
<h2>Plan</h2><p>Some <b>bold <i>both</i></b> and <a href="https://e.org/">a link</a>, <tg-math>x^2</tg-math></p>
<ul><li>one</li><li><input type="checkbox" checked> done</li></ul>
<table bordered><tr><th>a</th><th align="right">b</th></tr><tr><td>1</td><td>2</td></tr></table>
<details><summary>Why</summary><p>Because.</p></details><pre><code class="language-python">x = 1
</code></pre><blockquote>Said so.</blockquote><hr><tg-math-block>E=mc^2</tg-math-block>
"""


async def test_html_becomes_blocks_that_aiogram_can_read(chat: EmulatedChat, api: Call) -> None:
    sent = await api("sendRichMessage", chat_id=chat.id, rich_message={"html": HTML})
    blocks = sent["rich_message"]["blocks"]
    kinds = [block["type"] for block in blocks]
    assert kinds == [
        "heading",
        "paragraph",
        "list",
        "table",
        "details",
        "pre",
        "blockquote",
        "divider",
        "mathematical_expression",
    ]
    assert blocks[1]["text"][1] == {"type": "bold", "text": ["bold ", {"type": "italic", "text": "both"}]}
    assert blocks[2]["items"][1]["is_checked"] is True
    assert blocks[3]["cells"][0][1]["align"] == "right"
    assert Message.model_validate(sent).rich_message is not None
    assert "Some bold both and a link, x^2" in chat.messages[-1].text
    assert "text" not in sent


async def test_markdown_becomes_blocks(chat: EmulatedChat, api: Call) -> None:
    markdown = "# T\n\n**b** and ~~s~~\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx\n```"
    sent = await api("sendRichMessage", chat_id=chat.id, rich_message={"markdown": markdown})
    assert [b["type"] for b in sent["rich_message"]["blocks"]] == ["heading", "paragraph", "table", "pre"]


async def test_text_and_rich_turn_into_each_other(chat: EmulatedChat, api: Call, refused: Call) -> None:
    sent = await api("sendMessage", chat_id=chat.id, text="plain")
    where = {"chat_id": chat.id, "message_id": sent["message_id"]}
    rich = {"blocks": [{"type": "paragraph", "text": "rich"}]}
    edited = await api("editMessageText", **where, rich_message=rich)
    assert "rich_message" in edited
    assert "text" not in edited
    assert (await refused("editMessageText", **where, rich_message=rich)).startswith(
        "400 Bad Request: message is not modified"
    )
    back = await api("editMessageText", **where, text="plain")
    assert "rich_message" not in back
    assert chat.messages[-1].previous == ["plain", "rich"]


def nested(depth: int) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "paragraph", "text": "x"}
    for _ in range(depth - 1):
        block = {"type": "blockquote", "blocks": [block]}
    return {"blocks": [block]}


def table(columns: int) -> dict[str, Any]:
    cell = {"align": "left", "valign": "top", "text": "x"}
    return {"blocks": [{"type": "table", "cells": [[cell] * columns]}]}


@pytest.mark.parametrize(
    ("rich", "words"),
    [
        ({"html": "x", "markdown": "x"}, "rich message must have exactly one of html, markdown and blocks"),
        ({"html": "<p> </p>"}, "rich message is empty"),
        ({"html": "x" * 32_769}, "rich message is too long"),
        ({"html": "<p>x</p>" * 501}, "rich message has too many blocks"),
        (nested(17), "rich message blocks are nested too deep"),
        (table(21), "rich message table has too many columns"),
        ({"html": "<tg-thinking>hm</tg-thinking>"}, "rich message thinking block is allowed only in drafts"),
    ],
)
async def test_limits(chat: EmulatedChat, refused: Call, rich: dict[str, Any], words: str) -> None:
    assert await refused("sendRichMessage", chat_id=chat.id, rich_message=rich) == f"400 Bad Request: {words}"


@pytest.mark.parametrize("rich", [{"html": "<p>x</p>" * 500}, nested(16), table(20)])
async def test_up_to_the_limits_everything_passes(chat: EmulatedChat, api: Call, rich: dict[str, Any]) -> None:
    await api("sendRichMessage", chat_id=chat.id, rich_message=rich)


async def test_a_rich_draft_may_think(chat: EmulatedChat, api: Call) -> None:
    rich = {"html": "<tg-thinking>Looking it up</tg-thinking><p>So far</p>"}
    await api("sendRichMessageDraft", chat_id=chat.id, draft_id=3, rich_message=rich)
    (draft,) = chat.drafts.values()
    assert draft.text == "Looking it up\nSo far"
    assert draft.rich is not None
    await api("sendRichMessage", chat_id=chat.id, rich_message={"html": "Done"})
    assert chat.drafts == {}


def deep(levels: int) -> dict[str, Any]:
    text: Any = "x"
    for _ in range(levels):
        text = {"type": "bold", "text": [text, "y"]}
    return {"blocks": [{"type": "paragraph", "text": text}]}


async def test_texts_in_texts_are_read_at_any_depth(chat: EmulatedChat, api: Call) -> None:
    await api("sendRichMessage", chat_id=chat.id, rich_message=deep(100))
    assert chat.messages[-1].text == "x" + "y" * 100


@pytest.mark.parametrize("unit", ["<b>", "<blockquote>", "<ul><li>", "<table><tr><td>"])
async def test_endless_nesting_is_refused(chat: EmulatedChat, refused: Call, unit: str) -> None:
    words = await refused("sendRichMessage", chat_id=chat.id, rich_message={"html": unit * 3000 + "x"})
    assert words == "400 Bad Request: rich message blocks are nested too deep"


@pytest.mark.parametrize(
    "text",
    [
        {"type": "shiny", "text": "x"},
        {"type": "url", "text": "x"},
        {"type": "bold", "text": [5]},
        ["x", {"text": "x"}],
        5,
    ],
)
async def test_texts_of_another_shape_are_refused(chat: EmulatedChat, refused: Call, text: Any) -> None:
    rich = {"blocks": [{"type": "paragraph", "text": {"type": "italic", "text": ["x", text]}}]}
    words = await refused("sendRichMessage", chat_id=chat.id, rich_message=rich)
    assert words.startswith("400 Bad Request: can't parse rich message: blocks.0.paragraph.text")


async def test_fields_of_other_kinds_of_blocks_are_passed_over(chat: EmulatedChat, api: Call) -> None:
    rich = {"blocks": [{"type": "paragraph", "text": "x", "items": 5, "cells": [5], "blocks": [{}], "expression": "y"}]}
    sent = await api("sendRichMessage", chat_id=chat.id, rich_message=rich)
    assert sent["rich_message"]["blocks"] == [{"type": "paragraph", "text": "x"}]


async def test_quotations_lists_and_cells_of_every_kind(chat: EmulatedChat, api: Call) -> None:
    html = (
        "<blockquote><p>Said</p><cite>Ann</cite></blockquote>"
        "<blockquote collapsed><p>a <b>b</b></p><p>c</p></blockquote>"
        '<aside>Pulled<cite>Bob</cite></aside><ol start="x"><li>one</li></ol><h7>no heading</h7>'
        '<table><tr><td colspan="2" rowspan="x">wide</td></tr></table>'
    )
    sent = await api("sendRichMessage", chat_id=chat.id, rich_message={"html": html})
    said, folded, pulled, numbers, text, table = sent["rich_message"]["blocks"]
    assert said == {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "Said"}], "credit": "Ann"}
    bold = {"type": "bold", "text": "b"}
    assert folded == {"type": "expandable_blockquote", "text": [["a ", bold], "\n", "c"]}
    assert pulled == {"type": "pullquote", "text": "Pulled", "credit": "Bob"}
    assert numbers["items"][0]["label"] == "1."
    assert text == {"type": "paragraph", "text": "no heading"}
    assert (table["cells"][0][0]["colspan"], "rowspan" in table["cells"][0][0]) == (2, False)
    assert Message.model_validate(sent).rich_message is not None
    again = {"blocks": sent["rich_message"]["blocks"]}
    assert (await api("sendRichMessage", chat_id=chat.id, rich_message=again))["rich_message"] == sent["rich_message"]
