"""Reader of a streamed answer of OpenAI's chat completions API."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import ClassVar

from tgllm.api.errors import BadResponse, Refused, Unavailable
from tgllm.api.events import FileDelta, Finished, ReasoningDelta, StreamEvent, TextDelta, ToolCall, ToolCallDelta
from tgllm.api.types import FinishReason, Json, JsonObject, Usage
from tgllm.providers.attachments import file_of
from tgllm.providers.failure import incomplete
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, unexpected
from tgllm.providers.retry import NoAnswer
from tgllm.providers.stream_documents import is_complaint
from tgllm.providers.streams.think_tags import ThinkTags
from tgllm.providers.streams.tool_calls import ToolCallReader

__all__ = ["ChatReader"]

_MAX_PROVIDER_DATA = 256 * 2**10
"""Maximum bytes of ``Finished.provider_data`` as JSON."""

_TEXTS = frozenset({"", "text", "output_text"})
_THOUGHTS = frozenset({"thinking", "reasoning"})
_OUTPUT = ("completion_tokens", "output_tokens")


class ChatReader:
    """Converts the chunks of one answer to events. Override methods where a service differs."""

    think_tags: ClassVar[bool] = False
    """Whether models may write their reasoning into the text, between ``<think>`` and ``</think>``."""

    needs_done: ClassVar[bool] = False
    """Whether an answer without a final ``[DONE]`` is incomplete even if it has a finish reason."""

    finish_reasons: ClassVar[dict[str, FinishReason]] = {
        "stop": "stop",
        "length": "length",
        "content_filter": "filtered",
        # Words of other services and of gateways in front of them.
        "eos": "stop",
        "eos_token": "stop",
        "end_turn": "stop",
        "stop_sequence": "stop",
        "complete": "stop",
        "max_tokens": "length",
        "max_output_tokens": "length",
        "model_length": "length",
        "model_context_window_exceeded": "length",
        "sensitive": "filtered",
        "safety": "filtered",
        "refusal": "filtered",
    }
    """The service's finish reasons, in lower case; unknown ones count as ``other``."""

    interruptions: ClassVar[frozenset[str]] = frozenset(
        {"error", "abort", "network_error", "insufficient_system_resource", "load"}
    )
    """Finish reasons of answers that the service aborted."""

    host = "the service"
    """The name or address of the service, for messages."""

    def __init__(self) -> None:
        """Create a reader for one answer."""
        self.usage = Usage()
        self.reasoning: list[str] = []
        self.spoken = False
        """Whether the answer contains text, a picture or a call of a tool."""
        self.begun = False
        """Whether a chunk had a part of an answer, possibly an empty one."""
        self._said: list[str] = []
        """The text as the service sent it, tags included."""
        self._tags = ThinkTags() if self.think_tags else None
        self._by_delta = False
        self.tool_calls = ToolCallReader()
        """The calls so far."""
        self._odd: BadResponse | None = None
        """What is wrong with the first chunk that was passed over."""
        self.finish_reason = ""
        """The service's finish reason in lower case; empty before it came."""

    @property
    def finished(self) -> bool:
        """Whether the answer has a finish reason, and one of a complete answer."""
        return bool(self.finish_reason) and self.finish_reason not in self.interruptions

    def is_error(self, chunk: JsonObject) -> bool:
        """Return whether a chunk is an error inside the stream, or in place of it."""
        if as_int(as_object(chunk.get("base_resp")).get("status_code")):
            return True
        has_answer = "choices" in chunk or "usage" in chunk
        return is_complaint({"error": chunk.get("error")} if has_answer else chunk)

    def take(self, chunk: JsonObject) -> Iterator[StreamEvent]:
        """Yield the events of one chunk.

        Raises:
            BadResponse: a text has the wrong type; the message names the field.
        """
        self._odd = self._odd or next(_oddities(chunk), None)
        choices = [as_object(choice) for choice in as_list(chunk.get("choices"))[:1]]
        self.begun = self.begun or bool(choices)
        for place in (as_object(chunk.get("x_groq")), *choices, chunk):
            if usage := as_object(place.get("usage")):
                self.usage = _later(self.usage, self.read_usage(usage))
        for choice in choices:
            for place in ("delta", "message"):
                _check_content(as_object(choice.get(place)).get("content"), f"choices[0].{place}.content")
            _check_content(choice.get("text"), "choices[0].text")
            finish = as_text(choice.get("finish_reason")).lower()
            self.finish_reason = self.finish_reason if finish in {"", "null"} else finish
            for event in self._read_choice(choice):
                yield from self._noted(event)

    def rest(self) -> Iterator[StreamEvent]:
        """Yield the text that was held back because it may have been the beginning of a tag; called before ``end``."""
        for event in self._tags.rest() if self._tags else ():
            self._note(event)
            yield event

    def calls(self) -> Iterator[ToolCall]:
        """Yield the calls of tools; called after ``end``, because only a complete answer has whole calls."""
        return self.tool_calls.calls()

    def _noted(self, event: StreamEvent) -> Iterator[StreamEvent]:
        if isinstance(event, TextDelta):
            self._said.append(event.text)
        for found in self._tags.split(event.text) if self._tags and isinstance(event, TextDelta) else (event,):
            self._note(found)
            yield found

    def _read_choice(self, choice: JsonObject) -> Iterator[StreamEvent]:
        """Yield the events in ``delta``, or else in ``message`` or ``text``, which some gateways send instead."""
        message, delta = as_object(choice.get("message")), as_object(choice.get("delta"))
        found = [*self.read_delta(delta), *self.tool_calls.take(delta.get("tool_calls"))]
        if found or not message:
            self._by_delta = self._by_delta or bool(found)
            yield from found or map(TextDelta, filter(None, [as_text(choice.get("text"))]))
        elif self._by_delta:
            # The last chunk repeats the whole answer, or has the calls after a streamed text.
            if not self.tool_calls.begun:
                yield from self.tool_calls.take(message.get("tool_calls"))
            said, whole = "".join(self._said), self.read_text(message.get("content"))
            if whole.startswith(said) and whole != said:
                yield TextDelta(whole[len(said) :])
        else:
            yield from self.read_delta(message)
            yield from self.tool_calls.take(message.get("tool_calls"))

    def end(self, *, done: bool) -> Finished:
        """Return the last event; ``done`` tells whether the service marked the end, as with ``[DONE]``.

        Without a finish reason, such a mark stands for "stop".

        Raises:
            Unavailable: the answer is incomplete.
            Refused: the answer was blocked before its first text.
            BadResponse: there is no answer in chunks of the wrong structure; the message names the field.
        """
        if self.finish_reason in self.interruptions:
            raise Unavailable(f"{self.host} aborted the answer ({self.finish_reason})")
        if not done and (not self.finish_reason or self.needs_done):
            raise self._odd or incomplete(self.host, has_begun=self.begun)
        if self._odd and not (self.spoken or self.reasoning):
            raise NoAnswer(str(self._odd))
        # Services have several words for an answer that ends with calls, and some of them say "stop".
        otherwise: FinishReason = "stop" if self.tool_calls.begun else "other"
        reason = self.finish_reasons.get(self.finish_reason or "stop", otherwise)
        if reason == "filtered" and not self.spoken:
            raise Refused("the service's filter blocked the answer")
        return Finished(reason, self.usage, self._kept())

    def read_delta(self, delta: JsonObject) -> Iterator[StreamEvent]:
        """Yield the non-empty events of one delta: reasoning, text or the parts of a list as they stand, pictures."""
        if reasoning := as_text(delta.get("reasoning_content")) or as_text(delta.get("reasoning")):
            yield ReasoningDelta(reasoning)
        content = delta.get("content") or delta.get("refusal")
        for part in as_list(content) or (content,):
            if as_text(as_object(part).get("type")) in _THOUGHTS:
                yield from map(ReasoningDelta, filter(None, [self._read_thought(as_object(part))]))
            elif text := self.read_text(part if isinstance(part, str) else [part]):
                yield TextDelta(text)
            elif found := _picture_of(part):
                yield found
        # As OpenRouter and Vercel send pictures.
        yield from filter(None, map(_picture_of, as_list(delta.get("images"))))

    def read_text(self, content: Json) -> str:
        """Return the text of a message's content, which is a string or a list of parts."""
        if isinstance(content, str):
            return content
        return "".join(map(_text_of, as_list(content)))

    def read_usage(self, usage: JsonObject) -> Usage:
        """Parse a usage object."""
        sent, written = _count(usage, "prompt_tokens", "input_tokens"), _count(usage, *_OUTPUT)
        reasoned = as_int(as_object(usage.get("completion_tokens_details")).get("reasoning_tokens"))
        details = as_object(usage.get("prompt_tokens_details"))
        cached = as_int(details.get("cached_tokens"))
        if sent and reasoned and written is not None and usage.get("total_tokens") == sent + written + reasoned:
            # xAI counts reasoning apart from the answer, and bills both.
            written += reasoned
        return Usage(
            input_tokens=sent,
            output_tokens=written,
            reasoning_tokens=reasoned,
            cached_tokens=_count(usage, "prompt_cache_hit_tokens", "cached_tokens") if cached is None else cached,
            # OpenRouter and LiteLLM, of the services that bill writing.
            cache_write_tokens=_count(details, "cache_write_tokens", "cache_creation_tokens"),
        )

    def _read_thought(self, part: JsonObject) -> str:
        """Return the reasoning in a part of a list."""
        found = (self.read_text(part.get(name)) for name in ("thinking", "reasoning", "text"))
        return next(filter(None, found), "")

    def provider_data(self) -> JsonObject | None:
        """Return data to be sent with this answer on later turns; dropped if it is larger than 256 KiB."""
        return None

    def _kept(self) -> JsonObject | None:
        data = self.provider_data()
        return data if data and len(encode_json(data)) <= _MAX_PROVIDER_DATA else None

    def _note(self, event: StreamEvent) -> None:
        if isinstance(event, ReasoningDelta):
            self.reasoning.append(event.text)
        elif isinstance(event, FileDelta | TextDelta | ToolCallDelta):
            self.spoken = True


def _oddities(chunk: JsonObject) -> Iterator[BadResponse]:
    """Yield an error for each part of the structure that has the wrong type.

    Such chunks are passed over, since gateways send some beside a good answer.
    """
    choices = chunk.get("choices")
    if choices and not isinstance(choices, list):
        yield unexpected("choices", "a list", choices)
    for first in as_list(choices)[:1]:
        if first and not isinstance(first, dict):
            yield unexpected("choices[0]", "an object", first)
        choice = as_object(first)
        for name in ("delta", "message"):
            part = choice.get(name)
            if part and not isinstance(part, dict):
                yield unexpected(f"choices[0].{name}", "an object", part)
            calls = as_object(part).get("tool_calls")
            if calls and not isinstance(calls, list):
                yield unexpected(f"choices[0].{name}.tool_calls", "a list", calls)
        reason = choice.get("finish_reason")
        if reason and not isinstance(reason, str):
            yield unexpected("choices[0].finish_reason", "text", reason)


def _check_content(content: Json, place: str) -> None:
    """Refuse a text that would be lost; a missing value, null and false count as empty.

    Raises:
        BadResponse: the message names the field and never contains the value.
    """
    if isinstance(content, bool | int | float) and content is not False:
        raise unexpected(place, "text", content)
    for index, part in enumerate(as_list(content)):
        _check_part(part, f"{place}[{index}]")
    if isinstance(content, dict):
        _check_part(content, place)


def _check_part(part: Json, place: str) -> None:
    if isinstance(part, bool | int | float):
        raise unexpected(place, "text", part)
    known = as_object(part)
    text = known.get("text")
    if as_text(known.get("type")) in _TEXTS and text and not isinstance(text, str):
        raise unexpected(f"{place}.text", "text", text)


def _text_of(part: Json) -> str:
    """Return the text of a part; parts without a type are text too."""
    if isinstance(part, str):
        return part
    known = as_object(part)
    return as_text(known.get("text")) if as_text(known.get("type")) in _TEXTS else ""


def _picture_of(part: Json) -> FileDelta | None:
    """Return the picture in a part, if its bytes are in it; a link is not followed."""
    return file_of(as_text(as_object(as_object(part).get("image_url")).get("url")))


def _count(usage: JsonObject, *names: str) -> int | None:
    return next((count for name in names if (count := as_int(usage.get(name))) is not None), None)


def _later(before: Usage, now: Usage) -> Usage:
    """Return the newer of two usages; counts that it lacks, and a usage of zeros, do not replace earlier ones."""
    counts = asdict(now)
    if not any(counts.values()):
        return before if any(asdict(before).values()) else now
    return replace(before, **{name: count for name, count in counts.items() if count is not None})
