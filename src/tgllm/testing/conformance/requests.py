"""Tests of the requests that a provider sends."""

import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tgllm.api import ChatMessage, ChatRequest, FilePart, JsonObject, TextPart, Unsupported
from tgllm.testing.conformance.checking import check, offered
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["RequestTests"]

_MAX_DATA = 256 * 1024
_FILES = {
    "image/png": b"\x89PNG\r\n\x1a\n" + b"a picture of the kit",
    "application/pdf": b"%PDF-1.7\n% a document of the kit\n%%EOF\n",
    "text/plain": b"A text of the kit.\n",
    "audio/ogg": b"OggS a sound of the kit",
    "video/mp4": b"\x00\x00\x00\x18ftypmp42 a film of the kit",
    "application/x-tgllm-unknown": b"a file of an unknown type",
}


class RequestTests(Kit):
    """Messages, settings and files reach the service or are refused; none is silently dropped."""

    async def test_the_conversation_arrives(self, subject: Subject) -> None:
        """All messages are sent, including answers of another provider."""
        request = _conversation(subject, "the first question", "the first answer", "the second question")
        await subject.hear(request)
        for text in ("the first question", "the first answer", "the second question"):
            check(subject.service.saw(text), f"{text!r} did not reach the service")

    async def test_the_system_message_is_honoured(self, subject: Subject) -> None:
        """``ChatRequest.system`` reaches the service as a system message."""
        heard = await subject.hear(subject.ask("Hello", system="Speak like the sea."))
        check(subject.service.saw("Speak like the sea."), "the system message did not reach the service")
        check(heard.text == "Hello", "the system message changed the question, or became a message of the person")

    @pytest.mark.parametrize(("field", "value"), [("temperature", 0.375), ("max_output_tokens", 1234)])
    async def test_a_setting_arrives_or_is_refused(self, subject: Subject, field: str, value: float) -> None:
        """A setting is sent to the service, or raises Unsupported."""
        try:
            await subject.hear(subject.ask("Hello", **{field: value}))
        except Unsupported:
            return
        check(subject.service.saw(str(value)), f"{field} was dropped: send it, or raise Unsupported")

    @pytest.mark.parametrize("kind", sorted(_FILES))
    async def test_a_file_arrives_or_is_refused(self, subject: Subject, tmp_path: Path, kind: str) -> None:
        """A file of a type that the model accepts is sent; any other is sent or raises Unsupported."""
        request = subject.ask("What is this?", _file(tmp_path, kind))
        try:
            await subject.hear(request)
        except Unsupported as error:
            check(not await _takes(subject, kind), f"the model takes {kind}, and the provider raises {error!r}")
            return
        check(subject.service.saw_file(_FILES[kind]), f"the file was dropped: send {kind}, or raise Unsupported")

    async def test_provider_data_comes_back(self, subject: Subject) -> None:
        """``provider_data`` survives storage as JSON, and the next request contains what the service needs of it."""
        subject.service.answer("Four.", reasoning="Two and two, let me see.")
        finished = (await subject.hear(subject.ask("What is 2 + 2?"))).finished
        wanted = subject.service.to_replay()
        stored: JsonObject | None = json.loads(json.dumps(finished.provider_data))
        check(stored == finished.provider_data, "provider_data is changed by storage as JSON")
        check(len(json.dumps(stored)) <= _MAX_DATA, "provider_data is longer than 256 KiB")
        await subject.hear(_conversation(subject, "What is 2 + 2?", "Four.", "And 3 + 3?", stored))
        check(wanted is None or subject.service.saw(wanted), f"the service wants {wanted!r} back and did not get it")

    async def test_the_request_is_not_changed(self, subject: Subject) -> None:
        """The provider does not modify the request, which the bot uses further."""
        offered("answer", lambda: subject.service.answer("Four.", reasoning="Two and two, let me see."))
        data = (await subject.hear(subject.ask("What is 2 + 2?"))).finished.provider_data
        request = _conversation(subject, "What is 2 + 2?", "Four.", "And 3 + 3?", data)
        before = copy.deepcopy(request)
        await subject.hear(request)
        check(request == before, f"the provider changed the request from {before} to {request}")

    async def test_strange_provider_data_does_no_harm(self, subject: Subject) -> None:
        """Unknown ``provider_data``, stored by another version of the plugin, is ignored."""
        strange: JsonObject = {"of another version": [1, {"two": None}], "parts": "none", "content": 3}
        heard = await subject.hear(_conversation(subject, "A question", "An answer", "A second question", strange))
        check(heard.finished.reason == "stop", f"the answer ended with {heard.finished.reason!r}")


def _conversation(
    subject: Subject, first: str, answer: str, second: str, data: JsonObject | None = None
) -> ChatRequest:
    said = ChatMessage("assistant", (TextPart(answer),), data)
    return replace(subject.ask(second), messages=(*subject.ask(first).messages, said, *subject.ask(second).messages))


def _file(folder: Path, kind: str) -> FilePart:
    content, name = _FILES[kind], f"file.{kind.rpartition('/')[2]}"
    path = folder / "stored-under-another-name"
    path.write_bytes(content)
    return FilePart(path, kind, len(content), hashlib.sha256(content).hexdigest(), name)


async def _takes(subject: Subject, kind: str) -> bool:
    """Return whether the model under test declares that it accepts files of this MIME type."""
    models = await subject.provider.list_models()
    (model,) = (model for model in models if subject.service.model in {model.id, *model.aliases})
    return bool(model.mime_types & {kind, f"{kind.partition('/')[0]}/*", "*/*"})
