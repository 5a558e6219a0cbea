"""What stands below an answer that has used tools."""

from dataclasses import replace
from typing import Any

import pytest

from tgllm.api import ModelRef
from tgllm.api.tools import Source
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.rendering.payloads import Entity, EntityText, RichMessage
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.streaming.outcomes import beginning_payloads, final_payloads
from tgllm.bot.streaming.tool_notes import MOST_SOURCES, links_of, sources_in_markdown
from tgllm.i18n import Catalogue
from tgllm.services.conversations.tool_steps import ToolStep, ToolSteps
from tgllm.services.conversations.turn import TurnOutcome

TEXTS = Catalogue(strict=True)
RENDERER = Renderer()
OK = TurnOutcome("ok", ModelRef("scripted", "model"), "Fine.")
PAGE = Source("https://example.org/a", "A page")


def step(state: Any = "done", title: str = "🔎 searching", tool: str = "search") -> ToolStep:
    return ToolStep("1", tool, title, state)


def sources(count: int) -> tuple[Source, ...]:
    return tuple(Source(f"https://example.org/{number}", f"Page {number}") for number in range(1, count + 1))


async def shown(tools: ToolSteps, text: str = "Fine.", **how: Any) -> list[Any]:
    return await final_payloads(RENDERER, replace(OK, text=text, tools=tools), TEXTS, "en", **how)


def linked(message: EntityText) -> list[tuple[str, str | None]]:
    units = message.text.encode("utf-16-le")
    return [
        (units[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le"), each.url)
        for each in message.entities
        if each.type == "text_link"
    ]


async def test_calls_are_folded_to_one_line() -> None:
    steps = (step(), step(), step(title="📄 reading", tool="read"))

    assert await shown(ToolSteps(steps)) == [EntityText("Fine.\n\n🔎 searching ×2 · 📄 reading")]


async def test_titles_of_calls_are_no_links_and_no_mentions() -> None:
    steps = (step(title="ask @bob"), step("failed", title="see bad.example", tool="see"))

    assert await shown(ToolSteps(steps)) == [EntityText("Fine.\n\nask ＠bob\n\n⚠️ Did not work: see bad․example")]


async def test_few_sources_are_links_below_it() -> None:
    (message,) = await shown(ToolSteps((step(),), sources(2)), "😀 **Fine.**")

    assert message.text == "😀 Fine.\n\n🔎 searching\n1. Page 1\n2. Page 2"
    assert message.entities[0] == Entity("bold", 3, 5)
    assert linked(message) == [("Page 1", "https://example.org/1"), ("Page 2", "https://example.org/2")]
    assert all(entity.type != "expandable_blockquote" for entity in message.entities)


async def test_many_sources_are_folded_and_the_rest_is_counted() -> None:
    (message,) = await shown(ToolSteps((step(),), sources(MOST_SOURCES + 3)))

    quote = next(entity for entity in message.entities if entity.type == "expandable_blockquote")
    assert len(linked(message)) == MOST_SOURCES
    assert message.text.endswith("8. Page 8\nand 3 more")
    assert (quote.offset, quote.offset + quote.length) == (7, utf16_length(message.text))


async def test_sources_without_a_call_have_a_title() -> None:
    assert (await shown(ToolSteps((), (PAGE,))))[0].text == "Fine.\n\nSources\n1. A page"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "tg://user?id=1",
        "ftp://example.org/",
        "https://no-dot/",
        "https://exa mple.org",
        "https://example.org/\u202egpj",
        "https://example.org/" + "x" * 1100,
        "",
    ],
)
def test_what_is_no_web_address_is_no_source(url: str) -> None:
    assert links_of(ToolSteps((), (Source(url, "x"), PAGE)), TEXTS, "en").links == [("A page", PAGE.url)]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("", "example.org"),
        ("  \u200b ", "example.org"),
        ("**Bold** `code` ~~gone~~", "Bold code gone"),
        ("# Heading", "Heading"),
        ("[Click](https://evil.example/) here", "Click here"),
        ("<b>Tom &amp; Jerry</b>", "Tom & Jerry"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "alert(1)"),
        ("abc\u202edef\u2066\nghi", "abc def ghi"),
        ("C# snake_case", "C# snake_case"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_a_title_is_plain_text(title: str, text: str) -> None:
    assert links_of(ToolSteps((), (Source(PAGE.url, title),)), TEXTS, "en").links == [(text, PAGE.url)]


def test_a_source_is_there_once() -> None:
    assert len(links_of(ToolSteps((), (PAGE, replace(PAGE, title="again"))), TEXTS, "en").links) == 1


async def test_what_did_not_happen_is_said_in_words() -> None:
    steps = (
        step("denied", "🍕 ordering", "order"),
        step("unknown", "✉️ sending", "mail"),
        step("failed"),
        step("stopped", "📄 reading", "read"),
    )

    (message,) = await shown(ToolSteps(steps))

    assert message.text.splitlines() == [
        "Fine.",
        "",
        "⚠️ Did not work: 🔎 searching",
        "🚫 Not done, since it was not allowed: 🍕 ordering",
        "⏹ Stopped: 📄 reading",
        "❓ I was interrupted, so it is unknown whether this happened: ✉️ sending. Check before you ask for it again.",
    ]


async def test_a_call_that_failed_before_it_worked_is_no_news() -> None:
    (message,) = await shown(ToolSteps((step("failed"), step())))

    assert message.text == "Fine.\n\n🔎 searching"


async def test_they_stand_above_the_reason_why_an_answer_is_cut() -> None:
    outcome = replace(OK, status="stopped", tools=ToolSteps((step(),), (PAGE,)))

    (message,) = await final_payloads(RENDERER, outcome, TEXTS, "en")

    assert isinstance(message, EntityText)
    assert message.text == "Fine.\n\n🔎 searching\n1. A page\n\nStopped."


async def test_an_answer_without_text_has_them_too() -> None:
    first, *_ = await shown(ToolSteps((step(),), (PAGE,)), "")

    assert first.text.startswith("🔎 searching\n1. A page\n\n")
    assert linked(first) == [("A page", PAGE.url)]


async def test_of_several_messages_the_last_has_them() -> None:
    *first, last = await shown(ToolSteps((step(),), sources(5)), "word " * 1500)

    assert first
    assert not any(linked(message) for message in first)
    assert len(linked(last)) == 5


async def test_a_full_message_is_followed_by_them() -> None:
    first, second = await shown(ToolSteps((step(),), sources(1)), "x" * 4096)

    assert first.text == "x" * 4096
    assert linked(second) == [("Page 1", "https://example.org/1")]


async def test_links_that_would_be_dropped_are_a_message_of_their_own() -> None:
    answer = " ".join(f"[{number}](https://example.com/{number})" for number in range(98))

    first, second = await shown(ToolSteps((step(),), sources(5)), answer)

    assert len(linked(first)) == 98
    assert len(linked(second)) == 5


@pytest.mark.parametrize("count", [1, 5])
async def test_a_rich_message_has_them_as_blocks_and_its_fallback_as_text(count: int) -> None:
    (message,) = await shown(ToolSteps((step(),), sources(count)), "Fine.", rich="always")

    assert isinstance(message, RichMessage)
    link = {"type": "url", "text": "Page 1", "url": "https://example.org/1"}
    if count == 1:
        assert message.blocks[1:] == [
            {"type": "paragraph", "text": "🔎 searching"},
            {"type": "paragraph", "text": ["1. ", link]},
        ]
    else:
        (details,) = message.blocks[1:]
        assert (details["type"], details["summary"]) == ("details", "🔎 searching")
        assert details["blocks"][0] == {"type": "paragraph", "text": ["1. ", link]}
        assert len(details["blocks"]) == count
    assert len(linked(message.fallback[-1])) == count


async def test_sources_too_long_for_a_rich_message_follow_it() -> None:
    long = tuple(Source(f"https://example.org/{number}{'x' * 900}", "Page") for number in range(5))

    rich, text = await shown(ToolSteps((), long), "Fine.", rich="always")

    assert isinstance(rich, RichMessage)
    assert len(linked(text)) == 5


async def test_the_beginning_of_an_answer_in_a_file_has_them() -> None:
    tools = ToolSteps((step("failed"),), (PAGE,))

    (message,) = await beginning_payloads(RENDERER, replace(OK, tools=tools), TEXTS, "en")

    assert message.text.startswith("Fine. …" if "…" in message.text else "Fine.")
    assert linked(message) == [("A page", PAGE.url)]
    assert message.text.endswith("Did not work: 🔎 searching")


def test_the_file_has_them_as_markdown() -> None:
    tools = ToolSteps((), (replace(PAGE, title="A [page] | b"), Source("https://example.org/(x)")))

    assert sources_in_markdown(tools, TEXTS, "en").splitlines() == [
        "**Sources**",
        "",
        "1. [A \\[page\\] \\| b](<https://example.org/a>)",
        "2. [example.org](<https://example.org/(x)>)",
    ]
    assert sources_in_markdown(ToolSteps(), TEXTS, "en") == ""
