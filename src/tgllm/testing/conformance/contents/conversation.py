"""Tests of roles, of the order of messages and parts, and of files in a conversation."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Literal

import pytest

from tgllm.api import ChatMessage, FilePart, Part, TextPart, TgllmError, Unsupported
from tgllm.testing.conformance.checking import check, offered, raising
from tgllm.testing.conformance.json_leaves import leaves
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["ConversationTests"]

_PNG = b"\x89PNG\r\n\x1a\n"
_SYSTEM = "Speak like the sea."
_SAID: tuple[tuple[Literal["user", "assistant"], str], ...] = (
    ("user", "the first question"),
    ("assistant", "the first answer"),
    ("user", "the second question"),
    ("assistant", "the second answer"),
    ("user", "the last question"),
)


class ConversationTests(Kit):
    """Who said what, and in which order, is the same at the service."""

    async def test_roles_and_order_arrive(self, subject: Subject) -> None:
        """System message, questions and answers have their own roles, oldest first."""
        messages = [ChatMessage(role, (TextPart(text),)) for role, text in _SAID]
        await subject.hear(replace(subject.ask("x"), messages=tuple(messages), system=_SYSTEM))
        found = _merged(offered("saw_roles", subject.service.saw_roles))
        wanted = [("system", _SYSTEM), *_SAID]
        same = len(found) == len(wanted) and all(
            role == wanted_role and text in said
            for (role, said), (wanted_role, text) in zip(found, wanted, strict=True)
        )
        check(same, f"the conversation {wanted} arrived as {found}")

    async def test_nothing_of_an_earlier_request_is_sent(self, subject: Subject) -> None:
        """A request has nothing of the one before it, which may be of another person: no text, no system, no data."""
        earlier = ("an earlier question 0815", "an earlier system message 0816", "an earlier thought 0817")
        question, system, thought = earlier
        offered("answer", lambda: subject.service.answer("Yes.", reasoning=thought))
        await subject.hear(subject.ask(question, system=system))
        await subject.hear(subject.ask("Hello"))
        found = [text for text in earlier if offered("saw", lambda text=text: subject.service.saw(text))]
        check(not found, f"the request of another conversation has {found}: keep no conversation in the provider")

    async def test_the_order_of_parts_stays(self, subject: Subject, tmp_path: Path) -> None:
        """Texts and files of a message arrive in the order in which they were sent, and none is left out."""
        files = [_file(tmp_path, f"{number}", _PNG + f"picture number {number}".encode()) for number in (1, 2)]
        parts: list[str | Part] = ["the first words", files[0], "the middle words", files[1], "the last words"]
        try:
            await subject.hear(subject.ask(*parts))
        except Unsupported:
            pytest.skip("the model takes no pictures")
        for file in files:
            saw = offered("saw_file", lambda file=file: subject.service.saw_file(file.path.read_bytes()))
            check(saw, f"{file.name} did not arrive")
        body = offered("sent", subject.service.sent)
        places = [_place(body, part) for part in parts]
        known = [place for place in places if place is not None]
        check(known == sorted(known), f"the parts of a message arrived in another order: {body}")

    async def test_a_file_of_an_earlier_question_stays(self, subject: Subject, tmp_path: Path) -> None:
        """A file that was sent with an earlier question is part of the conversation."""
        content = _PNG + b"a picture of yesterday"
        first = subject.ask("What is this?", _file(tmp_path, "yesterday", content)).messages
        answer = ChatMessage("assistant", (TextPart("A picture."),))
        try:
            await subject.hear(replace(subject.ask("x"), messages=(*first, answer, *subject.ask("Really?").messages)))
        except Unsupported:
            return
        saw = offered("saw_file", lambda: subject.service.saw_file(content))
        check(saw, "a file of an earlier question was dropped")

    async def test_a_file_that_is_gone_is_an_error(self, subject: Subject, tmp_path: Path) -> None:
        """A file that was deleted meanwhile raises an error of the contract, such as Unsupported."""
        part = _file(tmp_path, "gone", _PNG)
        part.path.unlink()
        with raising(TgllmError, "a file of the question is no longer on the disk", Unsupported):
            await subject.hear(subject.ask("What is this?", part))


def _file(folder: Path, name: str, content: bytes) -> FilePart:
    path = folder / f"stored-{name}"
    path.write_bytes(content)
    return FilePart(path, "image/png", len(content), hashlib.sha256(content).hexdigest(), f"{name}.png")


def _merged(said: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the messages with neighbours of one role as one, since some services demand that."""
    return [(role, "\n".join(text for _, text in group)) for role, group in groupby(said, key=lambda one: one[0])]


def _place(body: object, part: str | Part) -> tuple[int, int] | None:
    """Return the position of a part in a request; None for a file that is referred to by something else."""
    forms = [part] if isinstance(part, str) else _encoded(part)
    for number, (_, value) in enumerate(leaves(body)):
        for form in forms:
            if (start := str(value).find(form)) >= 0:
                return number, start
    return None


def _encoded(part: Part) -> list[str]:
    content = part.path.read_bytes() if isinstance(part, FilePart) else b""
    return [base64.b64encode(content).decode(), base64.urlsafe_b64encode(content).decode()]
