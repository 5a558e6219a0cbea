"""What of a message may be a password: the plain text, whatever its formats are."""

from typing import Any

import pytest

from tgllm.bot.updates.typed import guess_of

BOT = {"id": 42, "is_bot": True, "first_name": "Demo"}
SECRET = "correct-horse-9"


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def candidates(text: str, *entities: dict[str, Any]) -> tuple[list[str], bool]:
    content = {"chat": {"id": -5, "type": "supergroup"}, "from": {"id": 7}, "text": text, "entities": list(entities)}
    guess = guess_of(content, 42, "demo_bot")
    assert guess is not None
    return list(guess.candidates), guess.is_addressed


@pytest.mark.parametrize(
    ("text", "entities", "addressed"),
    [
        (SECRET, [], False),
        (SECRET, [entity("code", 0, 15)], False),
        (SECRET, [entity("bold", 0, 7), entity("text_link", 8, 5, url="https://e.org")], False),
        (f"@demo_bot {SECRET}", [entity("mention", 0, 9)], True),
        (f"@demo_bot {SECRET}", [], True),
        (f"Demo {SECRET}", [entity("text_mention", 0, 4, user=BOT)], True),
        (f"{SECRET} @demo_bot", [entity("spoiler", 0, 15), entity("mention", 16, 9)], True),
        (f"@demo_bot {SECRET}", [entity("code", 0, 25)], False),
        (f"/{SECRET}", [entity("code", 0, 16)], False),
    ],
)
def test_it_is_the_text_without_the_mention(text: str, entities: list[Any], addressed: bool) -> None:
    found, is_addressed = candidates(text, *entities)
    assert SECRET in found
    assert is_addressed is addressed
