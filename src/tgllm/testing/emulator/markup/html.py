"""Parser of parse_mode HTML. Source: Bot API, "HTML style"; error descriptions: TDLib."""

from collections.abc import Sequence
from typing import Any

from tgllm.testing.emulator.markup.entity_builder import EntityBuilder
from tgllm.testing.emulator.markup.html_scanner import HtmlScanner
from tgllm.testing.emulator.markup.html_tags import INLINE_TAGS
from tgllm.testing.emulator.markup.link_entities import emoji_entity, link_entity
from tgllm.testing.emulator.markup.text import byte_offset
from tgllm.testing.emulator.protocol.errors import broken_markup

__all__ = ["parse_html"]

_TAGS = {**INLINE_TAGS, "pre": "pre"}
_KNOWN = frozenset({*_TAGS, "a", "blockquote", "span", "tg-emoji", "tg-time"})


def parse_html(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the plain text and its entities. Raises BotApiError 400 for markup that Telegram refuses."""
    reader = _Reader(text)
    while reader.scanner.at < len(text):
        reader.step()
    if reader.builder.stack:
        raise broken_markup(f'Can\'t find end tag corresponding to start tag "{reader.builder.innermost}"')
    plain, entities = reader.builder.result()
    return plain, _with_languages(entities)


class _Reader:
    """Parser that reads the text tag by tag."""

    def __init__(self, text: str) -> None:
        self.scanner = HtmlScanner(text)
        self.builder = EntityBuilder()

    def step(self) -> None:
        """Read a tag, or the text up to the next one."""
        scanner = self.scanner
        begin = byte_offset(scanner.text, scanner.at)
        if scanner.text.startswith("</", scanner.at):
            scanner.at += 2
            self._end(begin)
        elif scanner.text.startswith("<", scanner.at):
            scanner.at += 1
            self._start(begin)
        else:
            self.builder.add(scanner.run())

    def _start(self, begin: int) -> None:
        tag = self.scanner.tag_name()
        if self.scanner.at == len(self.scanner.text):
            raise broken_markup(f"Unclosed start tag at byte offset {begin}")
        if tag not in _KNOWN:
            raise broken_markup(f'Unsupported start tag "{tag}" at byte offset {begin}')
        values = self.scanner.attributes(tag, begin)
        if tag == "span" and values.get("class") != "tg-spoiler":
            raise broken_markup(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.builder.open(tag, **_entity(tag, values))

    def _end(self, begin: int) -> None:
        expected = self.builder.innermost
        if expected is None:
            raise broken_markup(f"Unexpected end tag at byte offset {begin}")
        found = self.scanner.end_tag_name(begin)
        if found not in {"", expected}:
            words = f'Unmatched end tag at byte offset {begin}, expected "</{expected}>", found "</{found}>"'
            raise broken_markup(words)
        if expected == "a":
            opened = self.builder.stack[-1]
            opened.entity = link_entity(opened.entity["url"] or self.builder.text_since(opened))
        self.builder.close()


def _entity(tag: str, values: dict[str, str]) -> dict[str, Any]:
    match tag:
        case "a":
            return {"url": values.get("href", "")}
        case "blockquote":
            return {"type": "expandable_blockquote" if "expandable" in values else "blockquote"}
        case "span":
            return {"type": "spoiler"}
        case "tg-emoji":
            return emoji_entity(values.get("emoji-id", ""))
        case "tg-time":
            return _moment(values)
        case "code" if values.get("class", "").startswith("language-"):
            return {"type": "code", "language": values["class"].removeprefix("language-")}
        case _:
            return {"type": _TAGS[tag]}


def _moment(values: dict[str, str]) -> dict[str, Any]:
    if not values.get("unix", "").isdecimal():
        raise broken_markup("Invalid Unix time specified")
    shown = {"date_time_format": values["format"]} if values.get("format") else {}
    return {"type": "date_time", "unix_time": int(values["unix"]), **shown}


def _with_languages(entities: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Move the language of a code entity to the pre entity with the same range; drop it if there is none."""
    languages = {_span(e): e["language"] for e in entities if e["type"] == "code" and e.get("language")}
    blocks = {_span(e) for e in entities if e["type"] == "pre"}
    made: list[dict[str, Any]] = []
    for entity in entities:
        language = languages.get(_span(entity))
        if entity["type"] == "pre" and language:
            made.append({**entity, "language": language})
        elif entity["type"] != "code" or not (language and _span(entity) in blocks):
            made.append({name: value for name, value in entity.items() if name != "language"})
    return made


def _span(entity: dict[str, Any]) -> tuple[int, int]:
    return entity["offset"], entity["length"]
