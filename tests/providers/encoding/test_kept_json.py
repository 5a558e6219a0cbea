"""JSON of messages: each is encoded once while it goes on being sent, and dropped when it no longer is."""

import json

from tgllm.api import ChatMessage, TextPart
from tgllm.providers.encoding.kept_json import KeptJson


def message(text: str) -> ChatMessage:
    return ChatMessage("user", (TextPart(text),))


class Encoder:
    def __init__(self) -> None:
        self.encoded: list[str] = []

    def __call__(self, message: ChatMessage) -> bytes:
        self.encoded.append(message.text)
        return json.dumps(message.text).encode()


def test_what_was_sent_before_is_not_encoded_again() -> None:
    encoder = Encoder()
    kept = KeptJson(encoder)
    talk = [message("a"), message("b")]
    assert kept.of(talk) == b'"a","b"'
    assert kept.of([*talk, message("c")]) == b'"a","b","c"'
    assert encoder.encoded == ["a", "b", "c"]
    assert kept.of([]) == b""


def test_an_equal_message_is_another_one() -> None:
    encoder = Encoder()
    kept = KeptJson(encoder)
    for _ in range(3):
        # Each may get the place in memory of one that is gone, unless that is kept.
        assert kept.of([message(str(len(encoder.encoded)))]) == json.dumps(str(len(encoder.encoded) - 1)).encode()
    assert encoder.encoded == ["0", "1", "2"]


def test_what_is_no_longer_sent_is_dropped() -> None:
    encoder = Encoder()
    kept = KeptJson(encoder, most_bytes=20)
    lasting, once = message("lasting"), message("once")
    kept.of([lasting, once])
    for number in range(20):
        kept.of([lasting, message(f"{number}")])
    assert encoder.encoded.count("lasting") == 1
    kept.of([once])
    assert encoder.encoded.count("once") == 2
