"""Files of questions and answers in S3: on any machine, and while S3 gives no answer."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from bot_support import Start, from_bot, settled
from file_storage.fake_s3 import FakeS3, running_s3
from tgllm.api import FileDelta
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    # The pauses between the attempts of boto3 are seconds.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    with running_s3() as running:
        yield running


def wanted(s3: FakeS3) -> dict[str, Any]:
    return {f"s3__{name}": value for name, value in s3.settings.items()}


async def test_another_machine_reads_and_sends_what_one_has_stored(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, s3: FakeS3
) -> None:
    provider.answer("Here:", FileDelta(b"made", "text/plain", "made.txt"))
    async with start(**wanted(s3)) as bot:
        await ann.upload(b"some words", name="notes.txt", caption="What is it?")
        await emu.wait_for(lambda: any(message.file for message in from_bot(ann.private_chat())))
        await settled(emu, bot)
        folder = bot.core.config.data_dir / "files"
    assert sorted(stored.content for stored in s3.objects.values() if b"bot_id" not in stored.content) == [
        b"made",
        b"some words",
    ]
    # As on a machine that has none of them yet.
    shutil.rmtree(folder)
    async with start(**wanted(s3)) as bot:
        await ann.say("/export files")
        await emu.wait_for(lambda: from_bot(ann.private_chat())[-1].file)
        await settled(emu, bot)
    sent = from_bot(ann.private_chat())[-1].file
    assert sent is not None
    with zipfile.ZipFile(io.BytesIO(sent.content)) as bundle:
        assert {bundle.read(name) for name in bundle.namelist() if name.startswith("files/")} == {
            b"made",
            b"some words",
        }
    assert not [key for key in s3.objects if "/exports/" in key]


async def test_while_s3_is_away_a_file_is_refused_in_words_and_other_questions_go_on(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, s3: FakeS3
) -> None:
    async with start(**wanted(s3)) as bot:
        s3.failures["PUT"] = [(503, "SlowDown")] * 100
        await ann.upload(b"some words", name="notes.txt")
        await emu.wait_for(lambda: any("notes.txt" in message.text for message in from_bot(ann.private_chat())))
        assert any("Ask again in a few minutes" in message.text for message in from_bot(ann.private_chat()))
        asked = len(provider.requests)
        await ann.say("And without a file?")
        await emu.wait_for(lambda: len(provider.requests) > asked)
        await settled(emu, bot)
        s3.failures.clear()
        await ann.upload(b"some words", name="notes.txt", caption="Again")
        await emu.wait_for(lambda: any("Again" in question for question in provider.questions))
        await settled(emu, bot)
        assert [*(bot.core.config.data_dir / "files").glob("*.part")] == []
    assert len([key for key in s3.objects if "/files/" in key]) == 1
