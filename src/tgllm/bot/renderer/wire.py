"""Messages between the bot and its rendering process: JSON, after its length in bytes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from tgllm.bot.rendering.payloads import Entity, EntityText, Payload, RichMessage

__all__ = ["LENGTH_BYTES", "Task", "length_of", "packed", "payloads_from", "payloads_to", "read"]

LENGTH_BYTES = 8

Task = Literal["render", "beginning", "asks_for_rich"]
"""What to do with a text; see ``rendering.render``."""


def packed(content: Mapping[str, Any]) -> bytes:
    """Return a message."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length_of(head: bytes) -> int:
    """Return the length of a message's body from its first ``LENGTH_BYTES`` bytes."""
    return int.from_bytes(head, "big")


def read(body: bytes) -> dict[str, Any]:
    """Return the content of a message from its body."""
    content: dict[str, Any] = json.loads(body)
    return content


def payloads_to(payloads: Iterable[Payload]) -> list[dict[str, Any]]:
    """Return message contents as JSON."""
    return [_to_json(payload) for payload in payloads]


def payloads_from(given: Iterable[Mapping[str, Any]]) -> list[Payload]:
    """Return message contents from JSON."""
    return [_from_json(each) for each in given]


def _to_json(payload: Payload) -> dict[str, Any]:
    if isinstance(payload, RichMessage):
        return {"blocks": list(payload.blocks), "fallback": [_text_to_json(text) for text in payload.fallback]}
    return _text_to_json(payload)


def _text_to_json(text: EntityText) -> dict[str, Any]:
    return {
        "text": text.text,
        "entities": [[each.type, each.offset, each.length, each.url, each.language] for each in text.entities],
    }


def _from_json(given: Mapping[str, Any]) -> Payload:
    if "blocks" in given:
        return RichMessage(given["blocks"], tuple(_text_from_json(text) for text in given["fallback"]))
    return _text_from_json(given)


def _text_from_json(given: Mapping[str, Any]) -> EntityText:
    return EntityText(given["text"], tuple(Entity(*each) for each in given["entities"]))
