"""Reader of a streamed answer of the Gemini API (Gemini API: generateContent, thought signatures, function calling)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from google.genai import types

from tgllm.api.errors import BadResponse, ProviderError, Refused
from tgllm.api.events import FileDelta, Finished, ReasoningDelta, StreamEvent, TextDelta, ToolCall
from tgllm.api.types import FinishReason, JsonObject, Usage
from tgllm.providers.failure import incomplete
from tgllm_gemini.contents import FILE

__all__ = ["AnswerReader", "BrokenCall"]

_FINISHED: Mapping[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length"}
_NO_PICTURE = {"NO_IMAGE", "IMAGE_OTHER"}
_BROKEN = {"MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"}
_BROKEN_CALL = {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"}
_SIGNATURE = "thoughtSignature"
_FILTERED: Mapping[str, str] = {
    "SAFETY": "it may be harmful",
    "IMAGE_SAFETY": "an image may be harmful",
    "IMAGE_PROHIBITED_CONTENT": "the content of an image is prohibited",
    "IMAGE_RECITATION": "an image recites copyrighted work",
    "RECITATION": "it recites copyrighted text",
    "LANGUAGE": "its language is not supported",
    "BLOCKLIST": "it contains a forbidden word",
    "PROHIBITED_CONTENT": "its content is prohibited",
    "SPII": "it contains personal data",
    "JAILBREAK": "it looks like a jailbreak attempt",
    "MODEL_ARMOR": "the project's own filter (Model Armor) forbids it",
}


class BrokenCall(BadResponse):
    """The model has written a call of a tool that the API can't read or does not accept; a second try often works."""

    default_code = "broken_call"


class AnswerReader:
    """Reader of one streamed answer."""

    def __init__(self, host: str = "the service") -> None:
        """Create a reader for one answer; ``host`` is the name or address of the service, for messages."""
        self._host = host
        self._has_begun = False
        self._parts: list[dict[str, Any]] = []
        self._calls: list[ToolCall] = []
        self._by_id: dict[str, dict[str, Any]] = {}
        """The parts with calls that have an id."""
        self._usage: types.GenerateContentResponseUsageMetadata | None = None
        self._finish = ""
        self._has_picture = False

    @property
    def finished(self) -> bool:
        """Whether the answer has a finish reason."""
        return bool(self._finish)

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of the answer, in their order. They are complete at its end."""
        return self._calls

    def take(self, chunk: types.GenerateContentResponse) -> Iterator[StreamEvent]:
        """Yield the events of one chunk.

        Raises:
            Refused: the question or the answer is blocked.
        """
        self._usage = chunk.usage_metadata or self._usage
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise _refused("question", chunk.prompt_feedback.block_reason.value)
        self._has_begun = self._has_begun or bool(chunk.candidates)
        for candidate in (chunk.candidates or ())[:1]:
            for part in (candidate.content.parts if candidate.content else None) or ():
                yield from self._part(part)
            if candidate.finish_reason:
                self._finish = candidate.finish_reason.value

    def end(self) -> Finished:
        """Return the last event.

        Raises:
            Refused: the answer was blocked.
            ProviderError: the model made no picture.
            BrokenCall: the model wrote an invalid call of a tool.
            BadResponse: the model generated an invalid answer.
            Unavailable: the answer is incomplete.
        """
        if not self._finish:
            raise incomplete(self._host, has_begun=self._has_begun)
        if self._finish in _FILTERED:
            raise _refused("answer", self._finish)
        if self._finish in _NO_PICTURE and not self._has_picture:
            raise ProviderError(f"the model made no picture ({self._finish})", code="no_picture")
        if self._finish in _BROKEN_CALL:
            raise BrokenCall(f"the model wrote an invalid call of a tool ({self._finish})")
        if self._finish in _BROKEN:
            raise BadResponse(f"the model generated an invalid answer ({self._finish})")
        return Finished(_FINISHED.get(self._finish, "other"), _usage(self._usage), self._provider_data())

    def _part(self, part: types.Part) -> Iterator[StreamEvent]:
        if part.function_call:
            self._call(part, part.function_call)
            return
        self._keep(part)
        data = part.inline_data
        if data and data.data and not part.thought:
            # Pictures among the thoughts are interim ones.
            self._has_picture = True
            yield FileDelta(data.data, data.mime_type or "", data.display_name)
        if part.text:
            yield ReasoningDelta(part.text) if part.thought else TextDelta(part.text)

    def _call(self, part: types.Part, call: types.FunctionCall) -> None:
        """Take a call, which comes whole. A stream may repeat one by its id, with or without its signature."""
        raw = _raw(part)
        if call.id and (known := self._by_id.get(call.id)):
            if _SIGNATURE in raw:
                known.setdefault(_SIGNATURE, raw[_SIGNATURE])
            return
        if call.id:
            self._by_id[call.id] = raw
        self._parts.append(raw)
        arguments = json.dumps(call.args or {}, ensure_ascii=False)
        self._calls.append(ToolCall(call.id or f"call_{len(self._calls)}", call.name or "", arguments))

    def _keep(self, part: types.Part) -> None:
        """Store a part unchanged; consecutive text parts without a signature are joined."""
        if part.thought and not part.thought_signature:
            return
        raw = _raw(part.model_copy(update={"inline_data": None}))
        if part.inline_data and part.inline_data.data:
            # The picture itself is stored as a file.
            raw[FILE] = hashlib.sha256(part.inline_data.data).hexdigest()
        last = self._parts[-1] if self._parts else {}
        if raw.keys() == {"text"} == last.keys():
            last["text"] += raw["text"]
        else:
            self._parts.append(raw)

    def _provider_data(self) -> JsonObject | None:
        """Return the parts, if one has a signature or is a call: calls without them are taken for another model's."""
        needed = self._calls or any(_SIGNATURE in part for part in self._parts)
        return {"parts": self._parts} if needed else None


def _raw(part: types.Part) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def _refused(what: str, reason: str) -> Refused:
    words = _FILTERED.get(reason, "no reason given")
    return Refused(f"Gemini blocked the {what}: {words} ({reason})", reason=reason)


def _usage(found: types.GenerateContentResponseUsageMetadata | None) -> Usage:
    """Convert the usage: the API reports reasoning separately from the answer, and bills both as output."""
    if found is None:
        return Usage()
    return Usage(
        input_tokens=_sum(found.prompt_token_count, found.tool_use_prompt_token_count),
        output_tokens=_sum(found.candidates_token_count, found.thoughts_token_count),
        reasoning_tokens=found.thoughts_token_count,
        cached_tokens=found.cached_content_token_count,
    )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
