"""parse_mode HTML. Source: Bot API, "HTML style"."""

from html.parser import HTMLParser
from typing import Any

from tgllm.testing.emulator.entity_builder import EntityBuilder
from tgllm.testing.emulator.errors import bad_request
from tgllm.testing.emulator.html_tags import INLINE_TAGS

__all__ = ["parse_html"]

_TAGS = {**INLINE_TAGS, "pre": "pre"}


def parse_html(text: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and its entities. Raises BotApiError 400 for what Telegram refuses."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    if parser.builder.stack:
        tag = parser.builder.innermost
        raise _broken(f'can\'t find end tag corresponding to start tag "{tag}"')
    return parser.builder.result()


def _broken(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")


class _Parser(HTMLParser):
    """Reads the tags that Telegram knows and refuses all others."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = EntityBuilder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an entity."""
        values = {name: value or "" for name, value in attrs}
        self.builder.open(tag, **self._entity(tag, values))

    def handle_endtag(self, tag: str) -> None:
        """End the entity that the tag began."""
        if self.builder.innermost is None:
            raise _broken(f'unexpected end tag "{tag}"')
        if self.builder.innermost != tag:
            words = f'unmatched end tag, expected "</{self.builder.innermost}>", found "</{tag}>"'
            raise _broken(words)
        self.builder.close()

    def handle_data(self, data: str) -> None:
        """Append text."""
        self.builder.add(data)

    def _entity(self, tag: str, values: dict[str, str]) -> dict[str, Any]:
        if tag == "a":
            return _link(values.get("href", ""))
        if tag == "blockquote":
            return {"type": "expandable_blockquote" if "expandable" in values else "blockquote"}
        if tag == "span" and values.get("class") == "tg-spoiler":
            return {"type": "spoiler"}
        if tag == "tg-emoji":
            return {"type": "custom_emoji", "custom_emoji_id": values.get("emoji-id", "")}
        if tag == "code" and self.builder.innermost == "pre" and "class" in values:
            return self._language(values["class"])
        if tag in _TAGS:
            return {"type": _TAGS[tag]}
        raise _broken(f'unsupported start tag "{tag}"')

    def _language(self, css_class: str) -> dict[str, Any]:
        """Nested code of a pre names its language and is no entity of its own."""
        self.builder.stack[-1].entity["language"] = css_class.removeprefix("language-")
        return {}


def _link(href: str) -> dict[str, Any]:
    user_id = href.removeprefix("tg://user?id=")
    if user_id != href and user_id.isdecimal():
        return {"type": "text_mention", "user": {"id": int(user_id), "is_bot": False}}
    return {"type": "text_link", "url": href} if href else {}
