"""The examples of CommonMark and of GitHub's extensions lose no visible text."""

import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tgllm.bot.rendering.payloads import Payload, RichMode
from tgllm.bot.rendering.render import render, render_draft

pytestmark = pytest.mark.once

EXAMPLES: Sequence[dict[str, str]] = json.loads((Path(__file__).parent / "examples.json").read_text(encoding="utf-8"))
OTHERWISE = {"linkify 5, entities inside raw links"}
"""Examples that show something else by choice: entities in bare URLs are characters."""
MODES: list[RichMode] = ["never", "always", "auto"]


class Visible(HTMLParser):
    """Text that a browser shows."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "img":
            self.text += dict(attrs).get("alt") or ""


def characters(html: str) -> str:
    """Letters and digits of a page, without tags and numbers of lists that it shows as text."""
    visible = Visible()
    visible.feed(html)
    text = re.sub(r"</?[a-z][^<>]*>", "", visible.text)
    return "".join(re.findall(r"[^\W_]", re.sub(r"(?m)^[ \t]*\d{1,9}[.)]", "", text)))


def test_all_examples_are_there() -> None:
    assert sum(example["name"].startswith("CommonMark") for example in EXAMPLES) == 652
    assert len(EXAMPLES) > 750


@pytest.mark.parametrize("mode", MODES)
def test_no_visible_text_of_the_examples_is_lost(
    mode: RichMode, shown: Callable[[Sequence[Payload]], str], check_payload: Callable[[Payload], None]
) -> None:
    lost: list[str] = []
    for example in EXAMPLES:
        payloads = render(example["markdown"], rich=mode)
        for payload in payloads:
            check_payload(payload)
        # Kinds of quotes are shown with other letter case.
        output = iter(shown(payloads).casefold())
        if not all(char in output for char in characters(example["html"]).casefold()):
            lost.append(example["name"])
    assert set(lost) == OTHERWISE


def test_drafts_of_the_examples_are_valid(check_payload: Callable[[Payload], None]) -> None:
    for example in EXAMPLES:
        for end in range(1, len(example["markdown"]) + 1, 3):
            draft = render_draft(example["markdown"][:end])
            if draft.text:
                check_payload(draft)
