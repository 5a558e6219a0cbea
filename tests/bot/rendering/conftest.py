"""What Telegram asks of a message, checked independently of the code that makes messages."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tgllm.bot.rendering.payloads import Entity, EntityText, Payload, RichMessage
from tgllm.testing.emulator.markup.rich import read_rich_message
from tgllm.testing.emulator.markup.text import tidy

UNSTYLED = {"code", "pre"}
QUOTES = {"blockquote", "expandable_blockquote"}


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def corpus() -> dict[str, str]:
    """Nasty cases by name."""
    pieces = (Path(__file__).parent / "nasty.txt").read_text(encoding="utf-8").split("%%% ")[1:]
    return {name: case for name, _, case in (piece.partition("\n") for piece in pieces)}


def check_text(message: EntityText) -> None:
    """Within limits, entities within the text, on whole characters, nested as Telegram allows."""
    assert message.text.strip()
    assert units(message.text) <= 4096
    assert len(message.entities) <= 100
    starts = {0}
    place = 0
    for char in message.text:
        place += units(char)
        starts.add(place)
    for entity in message.entities:
        assert entity.length > 0
        assert {entity.offset, entity.offset + entity.length} <= starts
        if entity.type == "text_link":
            assert entity.url is not None
            assert entity.url.lower().startswith(("http://", "https://"))
    check_nesting(message.entities)
    if message.text == message.text.strip():
        as_parameters = [entity.as_parameter() for entity in message.entities]
        assert list(tidy(message.text, as_parameters).entities) == as_parameters


def check_nesting(entities: Sequence[Entity]) -> None:
    for index, outer in enumerate(entities):
        end = outer.offset + outer.length
        for inner in entities[index + 1 :]:
            assert inner.offset >= outer.offset
            if inner.offset >= end:
                continue
            assert inner.offset + inner.length <= end, "overlap"
            assert outer.type not in UNSTYLED, "nothing stands in code"
            assert outer.type != inner.type
            assert not (outer.type in QUOTES and inner.type in QUOTES)
            if inner.type in UNSTYLED:
                assert outer.type in QUOTES, "code stands in nothing but quotes"


def check_urls(value: object) -> None:
    if isinstance(value, Mapping):
        assert str(value.get("url", "https://")).lower().startswith(("http://", "https://"))
        for inner in value.values():
            check_urls(inner)
    elif isinstance(value, list):
        for inner in value:
            check_urls(inner)


def check(payload: Payload) -> None:
    """What is to be sent, and what is sent if that is refused."""
    if isinstance(payload, RichMessage):
        check_urls(payload.blocks)
        assert read_rich_message(payload.as_parameters()["rich_message"]).plain.strip()
        assert payload.degraded()
    else:
        check_text(payload)
    for step in payload.degraded():
        check(step)


def shown_text(payloads: Sequence[Payload]) -> str:
    """All text that a reader sees, the languages of code among it."""
    return "\n".join(map(_shown, payloads))


def _shown(payload: Payload) -> str:
    if isinstance(payload, RichMessage):
        return _shown_rich(payload.blocks)
    pieces = payload.text.encode("utf-16-le")
    for entity in reversed(payload.entities):
        if entity.language:
            at = 2 * entity.offset
            pieces = pieces[:at] + f"{entity.language}\n".encode("utf-16-le") + pieces[at:]
    return pieces.decode("utf-16-le")


def _shown_rich(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "".join(map(_shown_rich, value))
    if isinstance(value, Mapping):
        names = ("language", "summary", "text", "expression", "blocks", "items", "cells")
        return "".join(_shown_rich(value.get(name)) for name in names) + "\n"
    return ""


@pytest.fixture
def check_payload() -> Callable[[Payload], None]:
    return check


@pytest.fixture
def shown() -> Callable[[Sequence[Payload]], str]:
    return shown_text


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``nasty`` runs with every case of the corpus."""
    if "nasty" in metafunc.fixturenames:
        cases = corpus()
        metafunc.parametrize("nasty", list(cases.values()), ids=list(cases))
