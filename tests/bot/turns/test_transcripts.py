"""Voice messages: transcribed or heard by the model, quoted above the answer, and corrected by a reply."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot_support import Killed, Start, from_bot, settled
from tgllm import hookimpl
from tgllm.api import (
    FilePart,
    FileUnreadable,
    ModelInfo,
    PluginInfo,
    Recording,
    Transcriber,
    Transcript,
    Unavailable,
)
from tgllm.testing.emulator import EmulatedMessage, Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

VOICE = b"OggS\x00\x02" + bytes(22) + b"\x01\x13OpusHead" + bytes(200)
HEARD = "My milk, and call my sister."
QUOTE = f"🎤 {HEARD}"


@dataclass
class Ears:
    """A transcriber, and the plugin that offers it."""

    says: str | Exception = HEARD
    gate: asyncio.Event | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    recordings: list[Recording] = field(default_factory=list[Recording])
    contents: list[bytes] = field(default_factory=list[bytes])
    kinds: frozenset[str] = frozenset({"audio/*", "video/*"})

    @property
    def plugin(self) -> GivenPlugin:
        return GivenPlugin.of("ears", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="ears", title="Ears", api="1.0")

    @hookimpl
    def tgllm_transcribers(self) -> Sequence[Transcriber]:
        return [Transcriber("ears", self.kinds, self.transcribe)]

    async def transcribe(self, recording: Recording) -> Transcript:
        self.recordings.append(recording)
        self.contents.append(await asyncio.to_thread(recording.path.read_bytes))
        self.begun.set()
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if isinstance(self.says, Exception):
            raise self.says
        return Transcript(self.says, "en")


class Listening(ScriptedProvider):
    """A model that takes audio."""

    async def list_models(self) -> Sequence[ModelInfo]:
        return (ModelInfo("model", mime_types=frozenset({"audio/*"})),)


@pytest.fixture
def ears() -> Ears:
    return Ears()


def voice(ann: EmulatedUser, **changes: Any) -> Any:
    return ann.upload(VOICE, **{"name": "file_1.oga", "mime": "audio/ogg", "kind": "voice", **changes})


async def answer_to(emu: Emulator, asked: EmulatedMessage, ending: str) -> EmulatedMessage:
    return await emu.wait_for_message(asked.chat, lambda message: message.text.endswith(ending), after=asked)


@pytest.mark.parametrize("kind", ["voice", "video_note"])
async def test_the_words_are_the_question_and_are_quoted_above_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears, kind: str
) -> None:
    provider.answer("I will remind you.")
    async with start(plugins=[ears.plugin]):
        shown = await answer_to(emu, await voice(ann, kind=kind), "I will remind you.")

    assert provider.questions == [HEARD]
    assert shown.text == f"{QUOTE}\n\nI will remind you."
    assert [(each["type"], each["offset"], each["length"]) for each in shown.entities] == [
        ("blockquote", 0, len(QUOTE) + 1)
    ]
    assert (ears.contents, ears.recordings[0].language) == ([VOICE], "en")


async def test_the_next_question_reads_the_words_as_history(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    provider.answer("First.")
    provider.answer("Second.")
    async with start(plugins=[ears.plugin]) as bot:
        await answer_to(emu, await voice(ann), "First.")
        await answer_to(emu, await ann.say("And bread"), "Second.")
        stored = await bot.core.database.read(lambda conn: conn.execute("SELECT text FROM messages").fetchall())

    assert provider.told == [HEARD, "First.", "And bread"]
    assert [row[0] for row in stored] == [HEARD, "First.", "And bread", "Second."]
    assert len(ears.recordings) == 1


async def test_a_model_that_takes_audio_gets_it_as_it_is(
    emu: Emulator, ann: EmulatedUser, start: Start, ears: Ears
) -> None:
    provider = Listening()
    provider.answer("Heard it.")
    async with start(provider=provider, plugins=[ears.plugin]) as bot:
        await bot.core.models.pull_and_sync_models()
        shown = await answer_to(emu, await voice(ann), "Heard it.")
        (part,) = [each for each in provider.requests[0].messages[-1].parts if isinstance(each, FilePart)]
        content = await asyncio.to_thread(part.path.read_bytes)

    assert (part.mime_type, content, (part.name or "").endswith(".ogg")) == ("audio/ogg", VOICE, True)
    assert (shown.text, ears.recordings) == ("Heard it.", [])


async def test_without_a_transcriber_it_says_what_to_install(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await voice(ann)
        shown = await emu.wait_for_message(ann.private_chat(), lambda message: "I can't listen to" in message.text)

    assert shown.text.endswith("pip install tgllm-whisper")
    assert provider.requests == []


async def test_a_recording_without_speech_says_so(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    ears.says = ""
    async with start(plugins=[ears.plugin]):
        await answer_to(emu, await voice(ann), "or write your question.")

    assert provider.requests == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileUnreadable(code="file_broken"), "is damaged"),
        (Unavailable("the process ended by SIGSEGV"), ""),
    ],
)
async def test_a_failure_is_told_and_the_next_one_works(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    ears: Ears,
    error: Exception,
    said: str,
) -> None:
    ears.says = error
    provider.answer("Fine.")
    async with start(plugins=[ears.plugin]):
        asked = await voice(ann)
        failed = await emu.wait_for_message(
            asked.chat, lambda message: message.from_bot and message.labels == ["Try again"], after=asked
        )
        ears.says = HEARD
        shown = await answer_to(emu, await ann.upload(VOICE + b"2", kind="voice", mime="audio/ogg"), "Fine.")

    assert said in failed.text
    assert shown.text.startswith(QUOTE)
    assert provider.questions == [HEARD]


async def test_trying_again_does_not_transcribe_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    provider.answer(Unavailable("down"))
    provider.answer("Here.")
    async with start(plugins=[ears.plugin]):
        asked = await voice(ann)
        failed = await emu.wait_for_message(
            asked.chat, lambda message: message.from_bot and "Try again" in message.labels, after=asked
        )
        first = failed.text
        await ann.press(failed, "Try again")
        shown = await answer_to(emu, asked, "Here.")

    assert first.startswith(QUOTE)
    assert shown.text == f"{QUOTE}\n\nHere."
    assert provider.questions == [HEARD, HEARD]
    assert len(ears.recordings) == 1


async def test_a_restart_does_not_transcribe_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears, killed: Killed
) -> None:
    asking = asyncio.Event()
    provider.answer(asking)
    provider.answer("After all.")
    async with killed(start(plugins=[ears.plugin])):
        asked = await voice(ann)
        await emu.wait_for(lambda: provider.requests)
    async with start(plugins=[ears.plugin]):
        shown = await answer_to(emu, asked, "After all.")

    assert shown.text.startswith(QUOTE)
    assert len(ears.recordings) == 1


async def test_a_crash_during_the_transcription_repeats_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears, killed: Killed
) -> None:
    provider.answer("After all.")
    ears.gate = asyncio.Event()
    async with killed(start(plugins=[ears.plugin])):
        asked = await voice(ann)
        await ears.begun.wait()
    ears.gate.set()
    async with start(plugins=[ears.plugin]):
        shown = await answer_to(emu, asked, "After all.")

    assert shown.text == f"{QUOTE}\n\nAfter all."
    assert len([message for message in from_bot(asked.chat) if message.text.endswith("After all.")]) == 1


async def test_stop_ends_the_transcription(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    ears.gate = asyncio.Event()
    provider.answer("Again.")
    async with start(plugins=[ears.plugin]) as bot:
        await voice(ann)
        await ears.begun.wait()
        await ann.say("/stop")
        await ears.cancelled.wait()
        await settled(emu, bot)
        assert provider.requests == []
        assert (await answer_to(emu, await ann.say("Hello"), "Again.")).text == "Again."


async def test_in_a_group_the_speaker_is_named(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("Fine.")
    async with start(plugins=[ears.plugin]):
        first = await answer_to(emu, await ann.say("@demo_bot hello", chat=group), "Fine.")
        provider.answer("Noted.")
        shown = await answer_to(emu, await voice(ann, chat=group, reply_to=first), "Noted.")
        await voice(ann, chat=group)
        provider.answer("Last.")
        await answer_to(emu, await ann.say("@demo_bot bye", chat=group), "Last.")

    assert provider.questions[1].endswith(f"Ann: {HEARD}")
    assert shown.text == f"{QUOTE}\n\nNoted."
    assert len(ears.recordings) == 1


class TestCorrection:
    async def test_a_reply_to_the_voice_message_is_asked_in_its_place(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        provider.answer("Whose milk?")
        provider.answer("Noted.")
        provider.answer("Bread, then.")
        provider.answer("Yes.")
        async with start(plugins=[ears.plugin]):
            asked = await voice(ann)
            await answer_to(emu, asked, "Whose milk?")
            shown = await answer_to(emu, await ann.say("Buy milk, and call my sister.", reply_to=asked), "Noted.")
            assert provider.told == ["Buy milk, and call my sister."]
            await answer_to(emu, await ann.say("Buy bread.", reply_to=asked), "Bread, then.")
            assert provider.told == ["Buy bread."]
            await answer_to(emu, await ann.say("Sure?"), "Yes.")

        assert provider.told == ["Buy bread.", "Bread, then.", "Sure?"]
        assert shown.text == "Noted."
        assert len(ears.recordings) == 1

    async def test_an_edit_of_the_correction_corrects_again(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        for answer in ("Whose milk?", "By milk?", "Noted."):
            provider.answer(answer)
        async with start(plugins=[ears.plugin]):
            asked = await voice(ann)
            await answer_to(emu, asked, "Whose milk?")
            said = await ann.say("By milk.", reply_to=asked)
            await answer_to(emu, said, "By milk?")
            await ann.edit(said, "Buy milk.")
            await answer_to(emu, said, "Noted.")

        assert provider.told == ["Buy milk."]

    async def test_a_question_that_was_asked_again_is_corrected_too(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        for answer in ("Whose milk?", "Again.", "Noted."):
            provider.answer(answer)
        async with start(plugins=[ears.plugin]):
            asked = await voice(ann)
            await answer_to(emu, asked, "Whose milk?")
            await answer_to(emu, await ann.say("/retry"), "Again.")
            await answer_to(emu, await ann.say("Buy milk.", reply_to=asked), "Noted.")

        assert provider.told == ["Buy milk."]

    async def test_in_a_group_with_a_mention_and_only_by_the_speaker(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        bob = emu.add_user(first_name="Bob")
        group = emu.add_group(title="Team", members=[ann, bob])
        for answer in ("Whose milk?", "Milk for Bob."):
            provider.answer(answer)
        async with start(plugins=[ears.plugin], let_in=[bob]):
            asked = await voice(ann, chat=group, caption="@demo_bot")
            await answer_to(emu, asked, "Whose milk?")
            said = await bob.say("@demo_bot Mine.", chat=group, reply_to=asked)
            await answer_to(emu, said, "Milk for Bob.")
            assert provider.told[-1].endswith("Bob: Mine.")
            provider.answer("Noted.")
            again = await voice(ann, chat=group, caption="@demo_bot")
            await answer_to(emu, again, "Noted.")
            provider.answer("Milk.")
            await answer_to(emu, await ann.say("@demo_bot Buy milk.", chat=group, reply_to=again), "Milk.")

        assert provider.told[-1] == "Ann: Buy milk."

    async def test_an_edit_that_changes_nothing_asks_nothing(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        provider.answer("Fine.")
        provider.answer("Yes.")
        async with start(plugins=[ears.plugin]):
            asked = await voice(ann)
            await answer_to(emu, asked, "Fine.")
            await ann.edit(asked, "")
            await answer_to(emu, await ann.say("Sure?"), "Yes.")

        assert provider.questions == [HEARD, "Sure?"]

    async def test_a_reply_to_a_part_of_the_quote_replaces_that_part(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        provider.answer("Whose milk?")
        provider.answer("Noted.")
        async with start(plugins=[ears.plugin]):
            shown = await answer_to(emu, await voice(ann), "Whose milk?")
            quote = {"text": "My milk", "position": 3, "is_manual": True}
            await answer_to(emu, await ann.say("Buy milk", reply_to=shown, fields={"quote": quote}), "Noted.")

        assert provider.told == ["Buy milk, and call my sister."]

    async def test_a_reply_to_the_answer_is_a_question_about_it(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        provider.answer("Whose milk?")
        provider.answer("Fine.")
        async with start(plugins=[ears.plugin]):
            shown = await answer_to(emu, await voice(ann), "Whose milk?")
            quote = {"text": "milk?", "position": len(QUOTE) + 9, "is_manual": True}
            await answer_to(emu, await ann.say("Mine", reply_to=shown, fields={"quote": quote}), "Fine.")

        assert provider.told[:2] == [HEARD, "Whose milk?"]
        assert provider.told[2].endswith("Mine")

    async def test_an_earlier_voice_message_is_not_corrected_but_asked_about(
        self, emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
    ) -> None:
        for answer in ("One.", "Two.", "Three."):
            provider.answer(answer)
        async with start(plugins=[ears.plugin]):
            asked = await voice(ann)
            await answer_to(emu, asked, "One.")
            await answer_to(emu, await ann.say("Next"), "Two.")
            await answer_to(emu, await ann.say("Shorter", reply_to=asked), "Three.")

        assert provider.told[:4] == [HEARD, "One.", "Next", "Two."]
        assert provider.told[4].endswith("Shorter")

    async def test_where_the_model_has_listened_a_reply_is_a_question(
        self, emu: Emulator, ann: EmulatedUser, start: Start, ears: Ears
    ) -> None:
        provider = Listening()
        provider.answer("Heard it.")
        provider.answer("Fine.")
        async with start(provider=provider, plugins=[ears.plugin]) as bot:
            await bot.core.models.pull_and_sync_models()
            asked = await voice(ann)
            await answer_to(emu, asked, "Heard it.")
            await answer_to(emu, await ann.say("Translate it", reply_to=asked), "Fine.")

        assert len(provider.told) == 3


async def test_a_forwarded_voice_message_is_content(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    """They are the words of somebody else."""
    bob = emu.add_user(first_name="Bob")
    group = emu.add_group(title="Team", members=[ann, bob])
    provider.answer("Bob wants milk.")
    async with start(plugins=[ears.plugin]):
        said = await voice(bob, chat=group)
        asked = await ann.forward(said, chat=ann.private_chat())
        shown = await emu.wait_for_message(
            asked.chat, lambda message: message.text.startswith("Bob wants milk."), after=asked
        )

    question = provider.questions[0]
    assert HEARD in question
    assert "[Forwarded from Bob]" in question
    assert not question.endswith(HEARD)
    assert not shown.text.startswith("🎤")


async def test_an_audio_file_is_content(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, ears: Ears
) -> None:
    provider.answer("About milk.")
    async with start(plugins=[ears.plugin]):
        asked = await voice(ann, kind="audio", name="meeting.ogg", caption="What is it about?")
        shown = await emu.wait_for_message(
            asked.chat, lambda message: message.text.startswith("About milk."), after=asked
        )

    question = provider.questions[0]
    assert HEARD in question
    assert question.endswith("What is it about?")
    assert not shown.text.startswith("🎤")


async def test_the_admins_learn_once_that_nothing_transcribes(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    def is_notice(message: EmulatedMessage) -> bool:
        return message.from_bot and "restart the bot: pip install tgllm-whisper" in message.text

    ann.private_chat()
    async with start(let_in=[eve]) as bot:
        for number in range(2):
            asked = await eve.upload(VOICE + b"%d" % number, name="a.oga", mime="audio/ogg", kind="voice")
            await emu.wait_for_message(asked.chat, lambda message: "I can't listen" in message.text, after=asked)
        await settled(emu, bot)
    assert len([message for message in ann.private_chat().messages if is_notice(message)]) == 1
    assert not any(is_notice(message) for message in eve.private_chat().messages)
    assert not provider.requests


async def test_a_transcriber_of_other_recordings_is_installed_already(
    emu: Emulator, ann: EmulatedUser, start: Start, ears: Ears
) -> None:
    ears.kinds = frozenset({"video/*"})
    async with start(plugins=[ears.plugin]) as bot:
        await answer_to(emu, await voice(ann), "pip install tgllm-whisper")
        await settled(emu, bot)
    assert not any("restart the bot" in text for text in ann.private_chat().bot_texts)
