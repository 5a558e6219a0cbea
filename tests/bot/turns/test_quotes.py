"""How much of a replied message the model reads: all that fits, the chosen part first, and nothing twice."""

import asyncio
from typing import Any

import pytest

from bot_support import Ask, Start
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.scripted import ScriptedProvider

LONG = " ".join(f"line-{number} of the minutes." for number in range(100))
NEWS = {"id": -1005, "type": "channel", "title": "The News"}


@pytest.fixture
def group(emu: Emulator, ann: EmulatedUser, eve: EmulatedUser) -> EmulatedChat:
    return emu.add_group(title="Team", members=[ann, eve])


async def told(emu: Emulator, provider: ScriptedProvider, said: EmulatedMessage) -> str:
    """The question as the model reads it, once it is answered."""
    await emu.wait_for_message(said.chat, lambda message: message.from_bot and "Stop" not in message.labels, after=said)
    return provider.questions[-1]


async def test_a_long_message_is_quoted_as_a_whole(
    emu: Emulator, eve: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    assert len(LONG) > 2123
    said = await eve.say(LONG, chat=group)
    async with start():
        await ask("@demo_bot is that true?", chat=group, reply_to=said)
    assert provider.questions == [f'[In reply to Eve: "{LONG}"]\nAnn: is that true?']


async def test_a_long_message_keeps_its_lines(
    eve: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    text = "\n".join(f"    line {number}" for number in range(60))
    said = await eve.say(f"```\n{text}\n```", chat=group)
    async with start():
        await ask("@demo_bot hm?", chat=group, reply_to=said)
    assert text in provider.questions[0]


async def test_a_message_that_exceeds_the_context_is_cut_where_the_context_ends(
    eve: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    said = await eve.say("word " * 800, chat=group)
    async with start(turns__context_tokens=500):
        await ask("@demo_bot is that true?", chat=group, reply_to=said)
    (question,) = provider.questions
    assert question.endswith('…"]\nAnn: is that true?')
    # 500 tokens are 1650 characters; the quote takes nearly all of them.
    assert 1500 < len(question) < 1650


async def test_the_chosen_part_comes_first_and_then_what_is_around_it(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, group: EmulatedChat, start: Start, provider: ScriptedProvider
) -> None:
    said = await eve.say(LONG, chat=group)
    quote = {"text": "line-50 of", "position": LONG.index("line-50"), "is_manual": True}
    async with start():
        asked = await ann.say("@demo_bot what?", chat=group, reply_to=said, fields={"quote": quote})
        question = await told(emu, provider, asked)
    assert question == (f'[In reply to Eve: "line-50 of"]\n[The message that it is from: "{LONG}"]\nAnn: what?')


async def test_what_is_around_the_chosen_part_is_cut_on_both_sides(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, group: EmulatedChat, start: Start, provider: ScriptedProvider
) -> None:
    said = await eve.say(LONG, chat=group)
    quote = {"text": "line-50 of", "position": LONG.index("line-50"), "is_manual": True}
    async with start(turns__context_tokens=300):
        asked = await ann.say("@demo_bot what?", chat=group, reply_to=said, fields={"quote": quote})
        question = await told(emu, provider, asked)
    chosen, around, words = question.split("\n")
    assert (chosen, words) == ('[In reply to Eve: "line-50 of"]', "Ann: what?")
    assert "line-49 of the minutes. line-50 of the minutes. line-51 of" in around
    assert "line-10 " not in around
    assert "line-90 " not in around


async def test_the_chosen_part_has_the_links_and_code_of_its_message(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, group: EmulatedChat, start: Start, provider: ScriptedProvider
) -> None:
    text = "\U0001f600 see the docs or run make today"
    entities = [
        {"type": "text_link", "offset": 11, "length": 4, "url": "https://example.com/docs"},
        {"type": "code", "offset": 23, "length": 4},
    ]
    said = await eve.say(text, chat=group, fields={"entities": entities})
    # Bot API: TextQuote. A quote keeps neither links nor code.
    quote = {"text": "docs or run make", "position": 11, "is_manual": True}
    async with start():
        asked = await ann.say("@demo_bot what?", chat=group, reply_to=said, fields={"quote": quote})
        question = await told(emu, provider, asked)
    assert question.startswith('[In reply to Eve: "[docs](https://example.com/docs) or run `make`"]\n')


async def test_the_chosen_part_is_found_behind_formats_though_its_words_occur_before(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, group: EmulatedChat, start: Start, provider: ScriptedProvider
) -> None:
    text = f"\U0001f600 alpha beta first. {LONG} alpha beta last."
    position = len(text[: text.rindex("alpha beta")].encode("utf-16-le")) // 2
    entities = [
        {"type": "bold", "offset": 0, "length": 2},
        *({"type": "bold", "offset": 22 + 5 * number, "length": 2} for number in range(90)),
        {"type": "italic", "offset": position, "length": 5},
    ]
    said = await eve.say(text, chat=group, fields={"entities": entities})
    quote = {"text": "alpha beta", "position": position, "is_manual": True}
    async with start(turns__context_tokens=300):
        asked = await ann.say("@demo_bot what?", chat=group, reply_to=said, fields={"quote": quote})
        question = await told(emu, provider, asked)
    chosen, around, _ = question.split("\n")
    assert chosen == '[In reply to Eve: "_alpha_ beta"]'
    assert around.endswith('line-99 of the minutes. _alpha_ beta last."]')


async def test_code_that_is_cut_keeps_its_fence(
    eve: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    code = "\n".join(f"step_{number}()" for number in range(300))
    said = await eve.say(
        code, chat=group, fields={"entities": [{"type": "pre", "offset": 0, "length": len(code), "language": "python"}]}
    )
    async with start(turns__context_tokens=500):
        await ask("@demo_bot hm?", chat=group, reply_to=said)
    (question,) = provider.questions
    assert question.startswith('[In reply to Eve: "```python\nstep_0()\n')
    assert question.endswith('\n```\n…"]\nAnn: hm?')


async def test_a_quote_that_telegram_added_is_not_the_chosen_part(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, group: EmulatedChat, start: Start, provider: ScriptedProvider
) -> None:
    said = await eve.say("one two three", chat=group)
    async with start():
        quote = {"text": "one", "position": 0}
        asked = await ann.say("@demo_bot what?", chat=group, reply_to=said, fields={"quote": quote})
        question = await told(emu, provider, asked)
    assert question == '[In reply to Eve: "one two three"]\nAnn: what?'


async def test_what_the_model_reads_anyway_is_not_sent_twice(
    ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer(LONG)
    async with start():
        first = await ask("one")
        await ask("two")
        await ask("Why?", reply_to=first)
        # The question, which the conversation has too.
        await ask("And this?", reply_to=ann.private_chat().messages[0])
    assert provider.questions[2].startswith('[In reply to your earlier answer: "line-0 of')
    assert len(provider.questions[2]) < 400
    assert sum(LONG in text for text in provider.told) == 1
    assert provider.questions[3] == '[In reply to Ann: "one"]\nAnd this?'


async def test_an_answer_that_the_model_has_no_more_is_quoted_as_a_whole(
    start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer(LONG)
    async with start():
        first = await ask("one")
        await ask("/clear")
        await ask("Why?", reply_to=first)
    assert provider.questions[-1] == f'[In reply to your earlier answer: "{LONG}"]\nWhy?'


async def test_a_reply_to_a_part_of_the_latest_answer_says_to_which(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer("\n\n".join(f"{number} " + "word " * 300 for number in range(6)))
    async with start() as bot:
        await ask("one")
        chat = ann.private_chat()
        second = await emu.wait_for(lambda: [each for each in chat.messages if each.from_bot][1:2])
        await bot.talk.settled()
        await ask("Why?", reply_to=second[0])
        # What came first may be the rest of the long answer.
        await emu.wait_for(lambda: provider.questions[-1].endswith("Why?"))
    assert provider.questions[-1].startswith('[In reply to your earlier answer: "')
    assert len(provider.questions[-1]) < 400


async def test_a_part_of_an_answer_of_which_the_model_has_only_the_end_is_quoted_as_a_whole(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer("\n\n".join(" ".join(f"word-{part}-{number}" for number in range(200)) for part in range(6)))
    async with start(turns__context_tokens=2000):
        await ask("one")
        chat = ann.private_chat()
        await emu.wait_for(lambda: any("word-5-199" in each.text for each in chat.messages))
        # Its answer is sent after the last part.
        await ask("/ping")
        first = next(each for each in chat.messages if each.from_bot)
        await ask("Why?", reply_to=first)
    assert not any("word-0-0 " in text for text in provider.told[:-1])
    assert "word-0-0 word-0-1 " in provider.questions[-1]
    assert len(provider.questions[-1]) > len(first.text)


@pytest.mark.parametrize("words", ["@demo_bot", "@demo_bot,", "@demo_bot @demo_bot"])
async def test_a_reply_that_only_names_the_bot_asks_about_the_message(
    eve: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider, words: str
) -> None:
    said = await eve.say("Is that true?", chat=group)
    async with start():
        await ask(words, chat=group, reply_to=said)
    assert provider.questions == [f'[In reply to Eve: "Is that true?"]\nAnn: {words}']


async def test_an_edit_of_such_a_reply_asks_again_only_if_its_text_has_changed(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, group: EmulatedChat, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and whole")
    provider.answer("Second")
    said = await eve.say("Is that true?", chat=group)
    async with start():
        asked = await ann.say("@demo_bot", chat=group, reply_to=said)
        await emu.wait_for(lambda: provider.open_streams)
        await ann.edit(asked, "@demo_bot")
        # Its update is stored before that of the next message.
        later = await ann.say("@demo_bot and then?", chat=group)
        await emu.wait_for(lambda: later.reactions)
        go_on.set()
        await emu.wait_for_message(group, lambda message: message.text == "Half and whole")
        await emu.wait_for_message(group, lambda message: message.text == "Second")
    assert len(provider.questions) == 2


async def test_a_report_that_changes_no_text_asks_nothing_though_less_of_the_quote_fits(
    emu: Emulator,
    ann: EmulatedUser,
    eve: EmulatedUser,
    group: EmulatedChat,
    start: Start,
    ask: Ask,
    provider: ScriptedProvider,
) -> None:
    said = await eve.say(LONG, chat=group)
    async with start(turns__context_tokens=500):
        asked = await ann.say("@demo_bot what?", chat=group, reply_to=said)
        await told(emu, provider, asked)
    async with start(turns__context_tokens=400):
        await ann.edit(asked, "@demo_bot what?")
        await ask("@demo_bot next", chat=group)
    assert [question.splitlines()[-1] for question in provider.questions] == ["Ann: what?", "Ann: next"]


async def test_a_message_that_only_names_the_bot_is_told_what_to_do(
    group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        answer = await ask("@demo_bot", chat=group)
    assert answer.text.startswith("Write your question next to my name")
    assert not provider.questions


CONTENTS: dict[str, tuple[dict[str, Any], str]] = {
    "poll": (
        {
            "poll": {
                "id": "1", "question": "Tea?", "options": [
                    {"text": text, "voter_count": 0, "persistent_id": text} for text in ("yes", "no")
                ],
                "total_voter_count": 0, "is_closed": False, "is_anonymous": True, "type": "regular",
                "allows_multiple_answers": False, "allows_revoting": True, "members_only": False,
            }
        },
        "Poll: Tea? - yes - no",
    ),
    "contact": ({"contact": {"phone_number": "+4712345678", "first_name": "Bo"}}, "Contact: Bo, +4712345678"),
    "location": ({"location": {"latitude": 59.9, "longitude": 10.7}}, "Location: 59.9, 10.7"),
    "venue": (
        {"venue": {"location": {"latitude": 1.0, "longitude": 2.0}, "title": "Cafe", "address": "Main St"}},
        "Place: Cafe, Main St (1.0, 2.0)",
    ),
    "dice": ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 4"),
    "photo": ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}, "A picture"),
    "document": ({"document": {"file_id": "a", "file_unique_id": "b", "file_name": "plan.pdf"}}, "File plan.pdf"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENTS)
async def test_what_has_no_words_is_named(
    emu: Emulator,
    ann: EmulatedUser,
    eve: EmulatedUser,
    group: EmulatedChat,
    start: Start,
    provider: ScriptedProvider,
    name: str,
) -> None:
    fields, words = CONTENTS[name]
    sent = await eve.cause(fields, chat=group)
    async with start():
        question = await told(emu, provider, await ann.say("@demo_bot what?", chat=group, reply_to=sent))
    # The server has no content of these two.
    file = {"photo": "photo.jpg", "document": "plan.pdf"}.get(name)
    remark = f"[The file {file} came with this message, but it can't be read, so you don't see it]\n"
    assert question == (remark if file else "") + f'[In reply to Eve: "{words}"]\nAnn: what?'


async def test_a_reply_to_a_caption_quotes_it(
    eve: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    sent = await eve.upload(b"x", kind="photo", caption="my cat", chat=group)
    async with start():
        await ask("@demo_bot what?", chat=group, reply_to=sent)
    (question,) = provider.questions
    assert question.endswith('\n[In reply to Eve: "my cat"]\nAnn: what?')


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"sender_chat": NEWS, "from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}}, "The News"),
        ({"sender_chat": NEWS, "author_signature": "Bo"}, "The News (Bo)"),
        ({"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Bo"}}, "Eve, forwarded from Bo"),
        (
            {"forward_origin": {"type": "channel", "date": 1, "chat": NEWS, "message_id": 3}},
            "Eve, forwarded from The News",
        ),
    ],
)
async def test_a_reply_names_whose_words_they_are(
    eve: EmulatedUser,
    group: EmulatedChat,
    start: Start,
    ask: Ask,
    provider: ScriptedProvider,
    fields: dict[str, Any],
    name: str,
) -> None:
    post = await eve.say("Rain.", chat=group, fields=fields)
    async with start():
        await ask("@demo_bot what?", chat=group, reply_to=post)
    assert provider.questions == [f'[In reply to {name}: "Rain."]\nAnn: what?']


BO = {"type": "user", "date": 1, "sender_user": {"id": 5, "is_bot": False, "first_name": "Bo"}}


@pytest.mark.parametrize(
    ("fields", "remark"),
    [
        ({"quote": {"text": "Rain.", "position": 0}}, '[In reply to Bo in another chat: "Rain."]'),
        ({}, "[In reply to a message of Bo in another chat, which you can't see]"),
        (
            {"quote": {"text": "Rain.", "position": 0}, "chat": {"id": 1001, "type": "private"}},
            '[In reply to Bo: "Rain."]',
        ),
        ({"location": {"latitude": 1.0, "longitude": 2.0}}, '[In reply to Bo in another chat: "Location: 1.0, 2.0"]'),
    ],
)
async def test_a_reply_to_a_message_of_another_chat(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    fields: dict[str, Any],
    remark: str,
) -> None:
    quote = {name: value for name, value in fields.items() if name == "quote"}
    external = {"origin": BO, **{name: value for name, value in fields.items() if name != "quote"}}
    async with start():
        question = await told(emu, provider, await ann.say("what?", fields={"external_reply": external, **quote}))
    assert question == f"{remark}\nwhat?"
