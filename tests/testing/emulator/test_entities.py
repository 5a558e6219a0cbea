"""Entities of what people send."""

from typing import Any

import pytest

from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.markup.detect import detect
from tgllm.testing.emulator.markup.text import Text, slice_utf16, tidy


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def bodies_of(emu: Emulator) -> list[Any]:
    return [update.body for update in emu.bot.queue.pending]


def found(text: str, *entities: dict[str, Any]) -> list[tuple[str, str]]:
    detected = detect(tidy(text, entities))
    return [(e["type"], slice_utf16(detected.text, e["offset"], e["length"])) for e in detected.entities]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks @demo_bot.", [("mention", "@demo_bot")]),
        ("(@demo_bot) @gif @abc", [("mention", "@demo_bot"), ("mention", "@gif")]),
        ("me@demo_bot @demo_botя @", []),
        ("see https://e.org/@demo_bot/post.", [("url", "https://e.org/@demo_bot/post")]),
        ("see example.com/@demo_bot or e.org, x.y", [("url", "example.com/@demo_bot"), ("url", "e.org")]),
        ("Ann@demo_bot.org, a.b+c@e.co.uk", [("email", "Ann@demo_bot.org"), ("email", "a.b+c@e.co.uk")]),
        ("/go /go@demo_bot /etc/hosts </a> x/y", [("bot_command", "/go"), ("bot_command", "/go@demo_bot")]),
        ("#tag #1 $USD $usd 5$ #a#b", [("hashtag", "#tag"), ("cashtag", "$USD")]),
        ("tg://resolve?domain=x 1.5 e.g. etc.", [("url", "tg://resolve?domain=x")]),
    ],
)
def test_they_are_found_as_telegram_finds_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_nothing_is_found_in_code_and_links() -> None:
    link = entity("text_link", 10, 9, url="https://e.org")
    assert found("@demo_bot @demo_bot @demo_bot", entity("code", 0, 9), link) == [
        ("code", "@demo_bot"),
        ("text_link", "@demo_bot"),
        ("mention", "@demo_bot"),
    ]


async def test_people_format_texts_captions_and_edits(emu: Emulator, ann: EmulatedUser) -> None:
    link = entity("text_link", 4, 4, url="https://e.org")
    said = await ann.say("see this", entities=[link])
    await ann.edit(said, "see that", entities=[link])
    await ann.upload(b"x", caption="see this", entities=[link])
    await ann.album([("a.jpg", b"x"), ("b.jpg", b"y")], caption="see this", entities=[link])
    bodies = [body.get("message") or body["edited_message"] for body in bodies_of(emu)]
    names = [body.get("entities") or body.get("caption_entities") for body in bodies]
    assert names == [[link], [link], [link], [link], None]


async def test_a_person_is_mentioned_by_a_name_of_choice(emu: Emulator, ann: EmulatedUser) -> None:
    mention = entity("text_mention", 0, 4, user={"id": emu.bot.id})
    said = await ann.say("Demo and Eve", entities=[mention, entity("text_mention", 9, 3, user={"id": 5})])
    (known,) = said.entities
    assert (known["user"]["id"], known["user"]["username"]) == (emu.bot.id, "demo_bot")


async def test_an_impossible_entity_is_refused(ann: EmulatedUser) -> None:
    with pytest.raises(ValueError, match="after the end of the text"):
        await ann.say("hi", entities=[entity("bold", 0, 3)])


@pytest.mark.parametrize(
    ("text", "entities", "heard"),
    [
        ("@demo_bot hi", [], True),
        ("/go", [], True),
        ("/go@demo_bot", [], True),
        ("Demo, hi", [entity("text_mention", 0, 4, user={"id": 42})], True),
        ("hi", [], False),
        ("/go@other_bot", [], False),
        ("see https://e.org/@demo_bot", [], False),
        ("@demo_bot", [entity("code", 0, 9)], False),
        ("@demo_bot_two", [], False),
    ],
)
async def test_a_bot_in_privacy_mode_gets_what_is_marked_for_it(
    emu: Emulator, ann: EmulatedUser, text: str, entities: list[Any], heard: bool
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    emu.bot.reads_all_group_messages = False
    before = len(bodies_of(emu))
    await ann.say(text, chat=group, entities=entities)
    assert (len(bodies_of(emu)) > before) is heard


def test_a_text_without_signs_is_left_alone() -> None:
    plain = Text("nothing to find")
    assert detect(plain) is plain
