"""Tests of the events of an answer."""

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace

from tgllm.api import ChatMessage, FileDelta, ReasoningDelta, TextDelta, TextPart, Usage, Waiting
from tgllm.api.events import StreamEvent
from tgllm.testing.conformance.checking import check
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["AnswerTests"]

_HARD_TEXT = (
    "Zażółć gęślą jaźń, привет, 世界, 👩\u200d👩\u200d👧\u200d👦 e\u0301 \u202eright to left\u202c, "
    '\\n "quoted" </s> data: [DONE]'
)
_SPACED_TEXT = "  two spaces,\ta tab,\n\n    an indented line,\r\n* a list"


class AnswerTests(Kit):
    """The text of an answer, the order of its events, and its end."""

    async def test_an_answer_ends_with_one_finished(self, subject: Subject) -> None:
        """The pieces of text come first, and exactly one Finished comes last."""
        heard = await subject.hear(subject.ask("Hello there, dear provider"))
        check(len(heard.ends) == 1, f"an answer ends with exactly one Finished; this one has {len(heard.ends)}")
        check(heard.events[-1] is heard.ends[0], f"Finished comes last; here something follows: {heard.events}")
        check(heard.finished.reason == "stop", f"an ordinary end is 'stop', not {heard.finished.reason!r}")
        check(heard.text == "Hello there, dear provider", f"the answer's text became {heard.text!r}")
        strange = _no_events(heard.events)
        check(not strange, f"these are no events of the contract: {strange}")
        wrong = _wrong_files(heard.events)
        check(not wrong, f"a FileDelta has bytes, a MIME type and a name or None; these have not: {wrong}")

    async def test_characters_stay_whole(self, subject: Subject) -> None:
        """A character of several bytes or code points is unchanged, even if its bytes arrive in several reads."""
        heard = await subject.hear(subject.ask(_HARD_TEXT))
        check(heard.text == _HARD_TEXT, f"the text {_HARD_TEXT!r} became {heard.text!r}")
        pieces = [event.text for event in heard.events if isinstance(event, TextDelta)]
        check(all(_is_unicode(piece) for piece in pieces), f"a piece holds half a character: {pieces}")

    async def test_white_space_stays(self, subject: Subject) -> None:
        """White space at the start, between pieces and within lines is part of the answer."""
        heard = await subject.hear(subject.ask(_SPACED_TEXT))
        check(heard.text == _SPACED_TEXT, f"the text {_SPACED_TEXT!r} became {heard.text!r}")

    async def test_pieces_come_as_they_are_sent(self, subject: Subject) -> None:
        """The first piece is yielded while the service is still writing."""
        subject.service.stall("The first piece. ")
        async with asyncio.timeout(subject.seconds), aclosing(subject.provider.generate(subject.ask("Go"))) as stream:
            first = await anext(event async for event in stream if not isinstance(event, Waiting))
        check(isinstance(first, TextDelta), f"the first event is {first}, and the service sent a piece of text")

    async def test_two_streams_do_not_mix(self, subject: Subject) -> None:
        """Two answers that are read alternately each belong to their own request."""
        questions = ["one " * 40, "two " * 40]
        streams = [subject.provider.generate(subject.ask(question.strip())) for question in questions]
        texts = ["", ""]
        async with asyncio.timeout(subject.seconds), aclosing(streams[0]), aclosing(streams[1]):
            reading = {0, 1}
            while reading:
                for number in sorted(reading):
                    event = await anext(streams[number], None)
                    reading -= {number} if event is None else set()
                    texts[number] += event.text if isinstance(event, TextDelta) else ""
        check(texts == [question.strip() for question in questions], f"the answers became {texts}")

    async def test_usage_is_what_the_service_counted(self, subject: Subject) -> None:
        """Finished has the service's counts; reasoning is part of the output, cached tokens are part of the input."""
        counted = Usage(input_tokens=321, output_tokens=45, reasoning_tokens=0, cached_tokens=0)
        subject.service.answer("Counted.", usage=counted)
        usage = (await subject.hear(subject.ask("Count"))).finished.usage
        told = (usage.input_tokens, usage.output_tokens)
        check(told == (321, 45), f"the service counted 321 tokens in and 45 out, and Finished says {usage}")

    async def test_usage_is_possible(self, subject: Subject) -> None:
        """No count is negative, reasoning tokens don't exceed output tokens, nor cached tokens input tokens."""
        usage = (await subject.hear(subject.ask("Is this possible?"))).finished.usage
        for part, whole in ((usage.reasoning_tokens, usage.output_tokens), (usage.cached_tokens, usage.input_tokens)):
            counts = [count for count in (part, whole) if count is not None]
            check(all(count >= 0 for count in counts), f"a count is negative: {usage}")
            check(part is None or whole is None or part <= whole, f"a part is more than its whole: {usage}")

    async def test_reasoning_is_apart_from_the_answer(self, subject: Subject) -> None:
        """The model's reasoning is yielded as ReasoningDelta, before the answer, and is not part of the text."""
        subject.service.answer("It is ", "four.", reasoning="Two and two, let me see.")
        heard = await subject.hear(subject.ask("What is 2 + 2?"))
        check(heard.reasoning == "Two and two, let me see.", f"the reasoning became {heard.reasoning!r}")
        check(heard.text == "It is four.", f"the text became {heard.text!r}")
        kinds = [type(event) for event in heard.events if isinstance(event, TextDelta | ReasoningDelta)]
        check(kinds == sorted(kinds, key=lambda kind: kind is TextDelta), "text comes before the end of the reasoning")

    async def test_tokens_are_counted_or_not(self, subject: Subject) -> None:
        """``count_tokens`` returns None for every text, or a positive number that grows with the text."""
        short, long = [await subject.provider.count_tokens(subject.ask(text)) for text in ("word", "word " * 500)]
        check((short is None) == (long is None), "count_tokens counts one text and not the other")
        if short is not None and long is not None:
            check(0 < short < long, f"count_tokens says {short} for one word and {long} for 500")

    async def test_the_whole_request_is_counted(self, subject: Subject) -> None:
        """``count_tokens`` counts the system message and the history as well, if it counts."""
        plain = subject.ask("word")
        history = (*subject.ask("word " * 300).messages, ChatMessage("assistant", (TextPart("yes"),)), *plain.messages)
        requests = (plain, replace(plain, system="word " * 300), replace(plain, messages=history))
        alone, *more = [await subject.provider.count_tokens(request) for request in requests]
        if alone is not None:
            wrong = [count for count in more if count is None or count <= alone]
            check(not wrong, f"count_tokens says {alone} for a word, and {more} with 300 more in system and history")


def _is_unicode(text: str) -> bool:
    """Return whether a text has neither lone surrogates nor replacement characters (U+FFFD)."""
    return "\ufffd" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _wrong_files(events: Iterable[object]) -> list[str]:
    """Return the types of the fields of files that the bot would refuse."""
    fields: list[tuple[object, object, object]] = [
        (event.content, event.mime_type, event.name) for event in events if isinstance(event, FileDelta)
    ]
    return [str([type(value).__name__ for value in field]) for field in fields if not _fits(*field)]


def _fits(content: object, mime_type: object, name: object) -> bool:
    is_named = name is None or isinstance(name, str)
    return isinstance(content, bytes) and isinstance(mime_type, str) and "/" in mime_type and is_named


def _no_events(events: Iterable[object]) -> list[object]:
    """Return what is not a stream event of the contract."""
    return [event for event in events if not isinstance(event, StreamEvent)]
