"""Answers in a terminal while they grow: each line once in the end, whatever the size of the screen."""

import io
import re
from collections.abc import Iterable
from typing import Any

import pytest

from terminal_support import Screen as Terminal
from tgllm.api import ReasoningDelta, TextDelta, Waiting
from tgllm.cli.chat.display import DRAW_SECONDS, MarkdownDisplay, PlainDisplay, Words
from tgllm.cli.chat.markdown import MarkdownRenderer
from tgllm.cli.chat.screen import Screen
from tgllm.i18n import Catalogue
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import ShownEvent, TextWasReasoning

LONG_CODE = "Code:\n\n```python\n" + "\n".join(f"line_{number} = {number}" for number in range(100)) + "\n```\n\nDone."
MANY = (
    "# Title\n\nSome *text* with `code`.\n\n- one\n- two\n  - inner\n\n| a | b |\n|---|---|\n| 1 | cell |\n\nThe end."
)


class SetClock:
    """Clock whose time a test sets, outside of an event loop."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Shown:
    """An answer on a terminal."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.terminal = Terminal(width, height)
        self.clock = SetClock()
        screen = Screen(self.terminal, MarkdownRenderer(), lambda: (self.terminal.width, self.terminal.height))  # pyright: ignore[reportArgumentType]  a stand-in
        self.display = MarkdownDisplay(screen, Words(Catalogue(), "en", self.clock), self.clock)
        self.pictures: list[str] = []

    def stream(self, events: Iterable[ShownEvent]) -> None:
        """Show events, each in a picture of its own."""
        for event in events:
            self.clock.seconds += DRAW_SECONDS * 2
            self.display.show(event)
            self.pictures.append(self.terminal.text)

    def answer(self, text: str, piece: int = 5) -> str:
        self.stream(TextDelta(text[at : at + piece]) for at in range(0, len(text), piece))
        self.display.end(text)
        return self.terminal.text


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_blocks_are_shown_once_in_their_order(piece: int) -> None:
    assert words(Shown().answer(MANY, piece)) == words(MANY)


def test_it_grows_on_the_screen() -> None:
    shown = Shown()

    shown.answer("one two three four")

    assert shown.pictures[0] == "one t"
    assert shown.pictures[1] == "one two th"


@pytest.mark.parametrize("height", [3, 10, 24])
def test_what_is_higher_than_the_screen_is_whole_in_the_scrollback(height: int) -> None:
    text = Shown(height=height).answer(LONG_CODE, 9)

    assert [line for line in text.splitlines() if line.startswith("line_")] == [f"line_{n} = {n}" for n in range(100)]
    assert text.startswith("Code:\n\nline_0")
    assert text.endswith("\n\nDone.")


def test_the_region_never_grows_higher_than_the_screen() -> None:
    shown = Shown(height=10)

    shown.answer(LONG_CODE, 50)

    assert max(picture.count("\n") for picture in shown.pictures if "Done" not in picture) < 12


@pytest.mark.parametrize("width", [8, 20, 33])
def test_a_narrow_terminal_shows_all_of_it(width: int) -> None:
    assert "".join(words(Shown(width=width).answer(MANY))) == "".join(words(MANY))


def test_a_terminal_that_changes_its_width_shows_the_end_once() -> None:
    shown = Shown(width=80)
    text = "word " * 14 + "end."
    shown.stream([TextDelta(text)])

    shown.terminal.width = 100
    shown.display.end(text)

    assert shown.terminal.text == text


def test_code_is_as_it_can_be_copied() -> None:
    line = "x = " + "1234567890" * 12

    text = Shown(width=40).answer(f"Here:\n\n```\n{line}\n    indented\n```\n")

    assert line in text.replace("\n", "")
    assert "\n    indented" in text


def test_code_in_a_list_is_whole() -> None:
    line = "y = " + "abcdefghij" * 8

    text = Shown(width=40).answer(f"- item\n\n  ```\n  {line}\n  ```\n")

    assert line.replace(" ", "") in re.sub(r"\s", "", text)


def test_tables_lose_no_letter() -> None:
    cell = "abcdefghijklmnopqrstuvwxyz" * 3
    rows = f"| a | b |\n|---|---|\n| {cell} | {cell} |\n"

    text = re.sub(r"\s", "", Shown(width=40).answer(rows))

    assert sorted(each for each in text if each.isalpha()) == sorted("ab" + cell * 2)


@pytest.mark.parametrize(
    "text", ["> " * 30 + "deep", "- " * 30 + "deep", "|" + "wide|" * 30 + "\n|" + "-|" * 30 + "\n"]
)
def test_what_has_no_room_is_shown_as_it_is(text: str) -> None:
    assert ("deep" in (shown := Shown(width=40).answer(text))) or shown.replace("\n", "").count("wide") == 30


def test_escape_sequences_of_a_model_are_shown() -> None:
    # The terminal of the test fails on sequences and control characters that are not the display's own.
    text = Shown().answer(
        "\x1b]52;c;AAAA\x07 \x1b[2J\n\n```\x1b[31m\n\x9b1m\r\n```\n\n[a](http://e.example/\x1b[1m)\u202e"
    )

    assert "\\x1b]52;c;AAAA\\x07 \\x1b[2J" in text
    assert "\\x9b1m" in text
    assert "\\u202e" in text


def test_a_link_shows_where_it_leads() -> None:
    assert Shown().answer("[bank](http://evil.example)") == "bank (http://evil.example)"


def test_reasoning_is_a_status_that_goes() -> None:
    shown = Shown()

    shown.clock.seconds += 2
    shown.stream([ReasoningDelta("First I\nadd two"), ReasoningDelta(" and two")])
    assert shown.pictures[-1] == "Thinking... 2 s\n  add two and two"

    assert shown.answer("Four.") == "Four."


def test_a_delay_is_a_status_that_goes() -> None:
    shown = Shown()

    shown.clock.seconds += 2
    shown.stream([Waiting("rate_limit")])

    assert shown.pictures[-1].startswith("The model's rate limit is reached")
    assert shown.answer("Four.") == "Four."


def test_text_that_was_reasoning_is_not_the_answer() -> None:
    shown = Shown()

    shown.stream([TextDelta("Hm, let me"), TextWasReasoning(), TextDelta("Four.")])
    shown.display.end("Four.")

    assert shown.terminal.text == "Four."


def test_halves_of_a_letter_become_one() -> None:
    shown = Shown()

    shown.stream([TextDelta("a \ud83d"), TextDelta("\ude00 b\n\nc \ud83d"), TextDelta("\ude00")])
    shown.display.end("a 😀 b\n\nc 😀")

    assert shown.terminal.text == "a 😀 b\n\nc 😀"


def test_a_long_block_is_parsed_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    original = Screen.last_block

    def counted(self: Screen, text: str) -> int:
        nonlocal parsed
        parsed += 1
        return original(self, text)

    monkeypatch.setattr(Screen, "last_block", counted)

    Shown(height=3).answer("```\n" + "some code\n" * 300, 10)

    assert 0 < parsed < 100


def step(state: Any, **fields: Any) -> ToolStep:
    return ToolStep("0.0", "search", "🔎 searching", state, **fields)


def test_a_tool_that_runs_is_named_before_the_first_text_and_below_it() -> None:
    shown = Shown()
    shown.clock.seconds = 5.0

    shown.stream([step("running", note="cats\x1b[31m"), step("done"), TextDelta("I found"), step("running")])

    assert shown.pictures[0].startswith("🔎 searching: cats")
    assert "searching" not in shown.pictures[1]
    assert shown.pictures[3].splitlines() == ["I found", "🔎 searching"]
    shown.display.end("I found it.")
    assert shown.terminal.text == "I found it."


def test_in_a_pipe_each_call_is_noted_once() -> None:
    noted: list[str] = []
    display = PlainDisplay(io.StringIO(), Words(Catalogue(), "en", SetClock()), noted.append)

    for event in (step("writing"), step("running"), step("running", note="dogs"), step("done")):
        display.show(event)
    display.show(ToolStep("0.1", "read", "📄 reading\x1b", "running"))

    assert noted == ["🔎 searching", "📄 reading\\x1b"]
