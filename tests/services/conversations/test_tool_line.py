"""The line that says which tools an answer is using."""

from typing import Any

import pytest

from tgllm.bot.rendering.split import utf16_length
from tgllm.i18n import Catalogue
from tgllm.services.conversations.tool_line import MOST_LINE, ToolLine
from tgllm.services.conversations.tool_steps import ToolStep

TEXTS = Catalogue(strict=True)


def step(call: str, state: Any = "running", title: str = "🔎 searching", **fields: Any) -> ToolStep:
    return ToolStep(call, "search", title, state, **fields)


def line(*steps: ToolStep, language: str = "en") -> str:
    shown = ToolLine(TEXTS, language)
    for each in steps:
        shown.add(each)
    return shown.text


def test_nothing_in_it_is_a_link_or_a_mention() -> None:
    shown = line(step("1", title="ask @bob /stop", note="https://bad.example"))
    assert shown == "ask ＠bob ∕stop: https∶∕∕bad․example"


def test_without_calls_it_is_empty() -> None:
    assert line() == ""


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "🔎 searching"),
        ({"note": "cats"}, "🔎 searching: cats"),
        ({"done": 3}, "🔎 searching 3"),
        ({"done": 2, "total": 3, "note": "cats"}, "🔎 searching 2 of 3: cats"),
    ],
)
def test_a_call_shows_its_progress(fields: Any, text: str) -> None:
    assert line(step("1", **fields)) == text


def test_the_latest_state_counts() -> None:
    assert line(step("1", "writing"), step("1", note="cats"), step("1", note="dogs")) == "🔎 searching: dogs"


def test_calls_of_one_kind_are_counted_and_others_stand_beside_them() -> None:
    pages = [step(str(number), title="📄 reading") for number in range(3)]

    assert line(*pages, step("9"), step("0", "done", "📄 reading")) == "📄 reading 2 of 3 … 🔎 searching"


@pytest.mark.parametrize("end", ["done", "failed", "denied", "stopped", "unknown"])
def test_calls_that_have_ended_are_gone_and_the_next_ones_are_counted_anew(end: Any) -> None:
    ended = [step("1"), step("2"), step("1", end), step("2", end)]

    assert line(*ended) == ""
    assert line(*ended, step("3")) == "🔎 searching"


def test_a_decision_stands_first_and_says_whose_it_is() -> None:
    asked, admins = step("1", "waiting", "🍕 ordering"), step("1", "waiting", "🍕 ordering", note="admins")

    assert line(step("2"), asked) == "⏳ Waiting for your decision about: 🍕 ordering … 🔎 searching"
    assert line(admins) == "⏳ Waiting for an admin's decision about: 🍕 ordering"
    assert line(admins, language="ru") == "⏳ Жду решения администратора: 🍕 ordering"


def test_only_if_all_calls_wait_a_person_is_waited_for() -> None:
    shown = ToolLine(TEXTS, "en")
    assert not shown.waits_for_person
    shown.add(step("1", "waiting"))
    assert shown.waits_for_person
    shown.add(step("2"))
    assert not shown.waits_for_person
    shown.add(step("2", "done"))
    assert shown.waits_for_person
    shown.add(step("1", "denied"))
    assert not shown.waits_for_person


def test_it_is_one_short_line_whatever_the_titles_are() -> None:
    text = line(*(step(str(number), title=f"{number}😀" * 90, note="a\n\u202eb" * 90) for number in range(20)))

    assert utf16_length(text) <= MOST_LINE
    assert "\n" not in text
    assert "\u202e" not in text


def test_a_call_without_a_title_has_the_name_of_its_tool() -> None:
    assert line(step("1", title="\u200b")) == "search"


def test_nothing_in_it_is_a_link() -> None:
    shown = line(step("1", title="@evil", note="https://evil.example"))
    assert not any(sign in shown for sign in ("@", "://", ".example"))
