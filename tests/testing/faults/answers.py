"""Faults in what is made of the stream of an answer."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar

from faults.good import Changed, Good, GoodReader, LineHttp, fault

from tgllm.api import (
    BadResponse,
    ChatRequest,
    Finished,
    FinishReason,
    JsonObject,
    ProviderError,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    Unavailable,
    Usage,
)
from tgllm.providers.http import ProviderHttp

FINISH = "test_the_finish_reason_is_told"
BREAKS = "test_a_stream_that_breaks_is_an_error"
SUMS = "test_no_token_is_left_out_of_the_sums"
PART = "test_a_part_of_the_tokens_is_told"
REASONING = "test_reasoning_is_apart_from_the_answer"
ONE_END = "test_an_answer_ends_with_one_finished"
DEVIATIONS = "test_deviations_of_gateways_are_tolerated"


@fault("every finish reason becomes `stop`", f"{FINISH}[length]")
class AllStop(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [replace(event, reason="stop")] if isinstance(event, Finished) else [event]


@fault("a filtered answer ends with `stop`", f"{FINISH}[filtered]")
class FilteredIsStop(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        finish_reasons: ClassVar[dict[str, FinishReason]] = {**GoodReader.finish_reasons, "content_filter": "stop"}


@fault("an unknown finish reason becomes `stop`", f"{FINISH}[other]")
class UnknownIsStop(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        finish_reasons: ClassVar[dict[str, FinishReason]] = {**GoodReader.finish_reasons, "tool_calls": "stop"}


class Ended(Good):
    """Ends an answer where an error comes after its beginning."""

    def ends(self, error: ProviderError) -> bool:
        return True

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        begun = False
        async with aclosing(super().generate(request)) as events:
            try:
                async for event in events:
                    begun = begun or isinstance(event, TextDelta)
                    yield event
            except ProviderError as error:
                if not begun or not self.ends(error):
                    raise
                yield Finished()


@fault("an error event is taken as the end", BREAKS)
class ErrorIsTheEnd(Ended):
    def ends(self, error: ProviderError) -> bool:
        return "upstream failed" in str(error)


@fault("an error event is passed over", BREAKS)
class ErrorIsPassedOver(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        def is_error(self, chunk: JsonObject) -> bool:
            return False


@fault(
    "no end of the answer is required: the end of the stream is enough",
    "test_an_answer_that_ends_too_early_is_an_error",
)
class EofIsTheEnd(Ended):
    def ends(self, error: ProviderError) -> bool:
        return isinstance(error, Unavailable)


@fault("a connection that is cut counts as the end", "test_an_answer_that_breaks_off_is_an_error")
class CutIsTheEnd(Ended):
    def ends(self, error: ProviderError) -> bool:
        return isinstance(error, Unavailable)


@fault("a broken event is passed over", "test_a_failure_in_the_middle_is_mapped[BadResponse]")
class BrokenEventIsTheEnd(Ended):
    def ends(self, error: ProviderError) -> bool:
        return isinstance(error, BadResponse)


@fault("an empty piece ends the answer", "test_an_empty_piece_is_not_the_end")
class EmptyIsTheEnd(Good):
    class http_type(LineHttp):  # noqa: N801  the name of the attribute
        def line(self, line: bytes) -> bytes | None:
            return b"data: [DONE]" if b'"content": ""' in line and b'"finish_reason": null' in line else line


@fault("lines longer than the client's buffer are refused", "test_a_long_piece_arrives")
class ShortLines(Good):
    class http_type(LineHttp):  # noqa: N801  the name of the attribute
        def line(self, line: bytes) -> bytes | None:
            if len(line) > 65_536:
                raise BadResponse("the line is too long")
            return line


@fault("there are two `Finished`", ONE_END)
class TwoEnds(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [event, event] if isinstance(event, Finished) else [event]


@fault("text follows `Finished`", ONE_END)
class TextAfterTheEnd(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [event, TextDelta("")] if isinstance(event, Finished) else [event]


@fault("there is no `Finished`", ONE_END)
class NoEnd(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [] if isinstance(event, Finished) else [event]


@fault("the answer comes at once, at its end", "test_pieces_come_as_they_are_sent", 1.0)
class AllAtOnce(Good):
    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        for event in [event async for event in super().generate(request)]:
            yield event


@fault("white space around a piece is removed", "test_white_space_stays")
class Stripped(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [TextDelta(event.text.strip())] if isinstance(event, TextDelta) else [event]


@fault("each read is decoded by itself, so that characters break", "test_characters_stay_whole")
class BrokenCharacters(Good):
    class http_type(ProviderHttp):  # noqa: N801  the name of the attribute
        async def stream(self, path: str, body: Any) -> AsyncGenerator[bytes, None]:
            async with aclosing(super().stream(path, body)) as chunks:
                async for chunk in chunks:
                    yield chunk.decode(errors="replace").encode()


@fault("lines that end with CR LF are not understood", DEVIATIONS)
class NoCarriageReturns(Good):
    class http_type(LineHttp):  # noqa: N801  the name of the attribute
        def line(self, line: bytes) -> bytes | None:
            return b": " + line if line.endswith(b"\r") else line


@fault("a ping in the stream is an error", DEVIATIONS)
class NoPings(Good):
    class http_type(LineHttp):  # noqa: N801  the name of the attribute
        def line(self, line: bytes) -> bytes | None:
            if b'"ping"' in line:
                raise BadResponse("this is no event of the documentation")
            return line


@fault("reasoning is part of the text", REASONING)
class ReasoningIsText(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [TextDelta(event.text) if isinstance(event, ReasoningDelta) else event]


@fault("reasoning is lost", REASONING)
class ReasoningIsLost(Changed):
    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [] if isinstance(event, ReasoningDelta) else [event]


class Counted(Changed):
    """A provider whose usage is changed."""

    def usage(self, usage: Usage) -> Usage:
        return usage

    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [replace(event, usage=self.usage(event.usage)) if isinstance(event, Finished) else event]


@fault("cached tokens are left out of the input", SUMS)
class NoCachedInSum(Counted):
    def usage(self, usage: Usage) -> Usage:
        return replace(usage, input_tokens=(usage.input_tokens or 0) - (usage.cached_tokens or 0))


@fault("reasoning tokens are left out of the output", SUMS)
class NoReasoningInSum(Counted):
    def usage(self, usage: Usage) -> Usage:
        return replace(usage, output_tokens=(usage.output_tokens or 0) - (usage.reasoning_tokens or 0))


@fault("reasoning tokens are counted twice", SUMS)
class ReasoningTwice(Counted):
    def usage(self, usage: Usage) -> Usage:
        return replace(usage, output_tokens=(usage.output_tokens or 0) + (usage.reasoning_tokens or 0))


@fault("cached tokens are not told, so that they cost the full price", f"{PART}[cached_tokens]")
class NoCached(Counted):
    def usage(self, usage: Usage) -> Usage:
        return replace(usage, cached_tokens=None)


@fault("reasoning tokens are not told", f"{PART}[reasoning_tokens]")
class NoReasoning(Counted):
    def usage(self, usage: Usage) -> Usage:
        return replace(usage, reasoning_tokens=0)


@fault("input and output are exchanged", "test_usage_is_what_the_service_counted")
class UsageTurnedRound(Counted):
    def usage(self, usage: Usage) -> Usage:
        return replace(usage, input_tokens=usage.output_tokens, output_tokens=usage.input_tokens)


@fault("usage is lost", "test_usage_is_what_the_service_counted")
class NoUsage(Counted):
    def usage(self, usage: Usage) -> Usage:
        return Usage()


@fault("usage in an event of its own is not read", "test_usage_that_comes_late_counts")
class NoLateUsage(Good):
    class reader(GoodReader):  # noqa: N801  the name of the attribute
        def take(self, chunk: JsonObject) -> Iterator[StreamEvent]:
            return super().take(chunk if chunk.get("choices") else {**chunk, "usage": None})


@fault("the usage of an earlier answer is told again", "test_usage_belongs_to_its_answer")
class FirstUsage(Counted):
    first: Usage | None = None

    def usage(self, usage: Usage) -> Usage:
        self.first = self.first or usage
        return self.first
