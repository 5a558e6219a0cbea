"""Updates are stored without secrets."""

import json
from typing import Any

import pytest

from tgllm.bot.updates.raw import to_inbox
from tgllm.bot.updates.redaction import map_strings, redacted
from tgllm.observe.redaction import Redactor
from tgllm.services.access.invitations import token_hash
from tgllm.services.common.update_notes import INVITE, notes_of

TOKEN = "inv_abcdefghijklmnop-_012345"
STARS = "inv_" + "*" * 24


def stored(content: dict[str, Any], kind: str = "message", redactor: Redactor | None = None) -> str:
    update = to_inbox({"update_id": 5, kind: content})
    assert update is not None
    return redacted(update, (redactor or Redactor()).without_known).payload


@pytest.mark.parametrize("text", ["/start {}", "/start@demo_bot {}", "/start   {} "])
def test_of_a_start_the_hash_is_stored(text: str) -> None:
    payload = stored({"text": text.format(TOKEN)})
    assert notes_of(payload) == {INVITE: token_hash(TOKEN)}
    assert json.loads(payload)["message"]["text"] == text.format(STARS)


@pytest.mark.parametrize("text", ["{}", "https://t.me/b?start={}", "/start {} x", "/ping {}"])
def test_elsewhere_it_is_only_removed(text: str) -> None:
    payload = stored({"caption": text.format(TOKEN), "quote": {"text": text.format(TOKEN)}})
    assert TOKEN not in payload
    assert notes_of(payload) == {}


def test_notes_can_not_be_written_by_people() -> None:
    forged = '"tgllm":{"invite":"x","hidden":1}'
    assert notes_of(stored({"text": forged, "tgllm": {"invite": "x"}})) == {}


def test_keys_keep_their_length_and_ordinary_words_stay() -> None:
    redactor = Redactor()
    for secret in ("ollama", "sk-0123456789abcdef-\u00e9"):
        redactor.add(secret)
    payload = stored({"text": "ollama sk-0123456789abcdef-\u00e9!"}, redactor=redactor)
    assert json.loads(payload)["message"]["text"] == f"ollama {'*' * 21}!"


@pytest.mark.parametrize("kind", ["business_message", "inline_query", "channel_post", "new_kind"])
def test_of_kinds_that_are_not_requested_nothing_is_stored(kind: str) -> None:
    assert json.loads(stored({"text": "hello"}, kind)) == {"update_id": 5}


def test_an_update_without_secrets_is_the_same_object() -> None:
    update = to_inbox({"update_id": 5, "message": {"text": "hello"}})
    assert update is not None
    assert redacted(update, lambda text: text) is update


def test_deep_values_need_no_recursion() -> None:
    deep: Any = TOKEN
    for _ in range(100_000):
        deep = [deep]
    changed: Any = map_strings(deep, lambda _text: "x")
    while isinstance(changed, list):
        (changed,) = changed
    assert changed == "x"
