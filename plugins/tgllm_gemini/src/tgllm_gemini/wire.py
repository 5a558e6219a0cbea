"""How the Gemini API writes conversations and answers (Gemini API: generateContent, thinking, thought signatures)."""

from collections.abc import Iterator, Mapping
from typing import Any

from google.genai import types
from pydantic import ValidationError

from tgllm.api.errors import BadResponse, Refused, Unavailable, Unsupported
from tgllm.api.events import Finished, ReasoningDelta, StreamEvent, TextDelta
from tgllm.api.types import ChatMessage, ChatRequest, FilePart, FinishReason, JsonObject, Usage
from tgllm.providers.json_values import as_list
from tgllm_gemini.models import Family

__all__ = ["AnswerReader", "config_of", "contents_of"]

Parts = Mapping[FilePart, types.Part]

_FINISHED: Mapping[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length"}
_BROKEN = {"MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"}
_FILTERED: Mapping[str, str] = {
    "SAFETY": "it may do harm",
    "IMAGE_SAFETY": "a picture may do harm",
    "RECITATION": "it repeats a text that others own",
    "LANGUAGE": "its language is not supported",
    "BLOCKLIST": "it holds a forbidden word",
    "PROHIBITED_CONTENT": "its content is prohibited",
    "SPII": "it holds personal data",
    "JAILBREAK": "it tries to get round the rules",
    "MODEL_ARMOR": "the project's own filter (Model Armor) forbids it",
}


def contents_of(request: ChatRequest, files: Parts, *, replay: bool) -> list[types.Content]:
    """The conversation; ``files`` has the API's form of each file.

    Args:
        request: what is asked.
        files: for each file of the conversation the part that stands for it.
        replay: whether answers go back in the parts in which they came, with their signatures, or as plain text.
    """
    contents = [_content(message, files, replay=replay) for message in request.messages]
    return [content for content in contents if content.parts]


def _content(message: ChatMessage, files: Parts, *, replay: bool) -> types.Content:
    if message.role == "assistant":
        parts = _kept_parts(message.provider_data) if replay else []
        return types.Content(role="model", parts=parts or _text_parts(message))
    parts = [files[part] if isinstance(part, FilePart) else types.Part(text=part.text) for part in message.parts]
    return types.Content(role="user", parts=[part for part in parts if part.text != ""])


def _text_parts(message: ChatMessage) -> list[types.Part]:
    return [types.Part(text=message.text)] if message.text else []


def _kept_parts(data: JsonObject | None) -> list[types.Part]:
    """The parts of an earlier answer; empty if nothing usable was kept."""
    try:
        return [types.Part.model_validate(part) for part in as_list((data or {}).get("parts"))]
    except ValidationError:
        return []


def config_of(request: ChatRequest, family: Family) -> types.GenerateContentConfig:
    """The settings of a request.

    Raises:
        Unsupported: the model can't think as much or as little as is asked for.
    """
    return types.GenerateContentConfig(
        system_instruction=request.system,
        temperature=request.temperature,
        max_output_tokens=request.max_output_tokens,
        thinking_config=_thinking(request, family),
        # One call is one request: the bot decides what follows.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _thinking(request: ChatRequest, family: Family) -> types.ThinkingConfig | None:
    effort = request.reasoning_effort
    if not family.efforts:
        if effort not in {None, "none"}:
            raise Unsupported(f"{request.model} does not reason")
        return None
    if effort is None:
        return types.ThinkingConfig(include_thoughts=True)
    if effort not in family.efforts:
        raise Unsupported(f"{request.model} can't answer without reasoning")
    amount = family.efforts[effort]
    if isinstance(amount, int):
        return types.ThinkingConfig(include_thoughts=amount > 0, thinking_budget=amount)
    return types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel(amount))


class AnswerReader:
    """Reads one streamed answer."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._parts: list[dict[str, Any]] = []
        self._usage: types.GenerateContentResponseUsageMetadata | None = None
        self._finish = ""

    def take(self, chunk: types.GenerateContentResponse) -> Iterator[StreamEvent]:
        """The events in one chunk.

        Raises:
            Refused: the question or the answer is blocked.
        """
        self._usage = chunk.usage_metadata or self._usage
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise _refused("question", chunk.prompt_feedback.block_reason.value)
        for candidate in (chunk.candidates or ())[:1]:
            for part in (candidate.content.parts if candidate.content else None) or ():
                yield from self._part(part)
            if candidate.finish_reason:
                self._finish = candidate.finish_reason.value

    def end(self) -> Finished:
        """The end of the answer.

        Raises:
            Refused: the answer was blocked.
            BadResponse: the model made something that is no answer.
            Unavailable: the stream ended before the answer did.
        """
        if not self._finish:
            raise Unavailable("the answer breaks off before its end")
        if self._finish in _FILTERED or self._finish.startswith("IMAGE_"):
            raise _refused("answer", self._finish)
        if self._finish in _BROKEN:
            raise BadResponse(f"the model made no proper answer ({self._finish})")
        return Finished(_FINISHED.get(self._finish, "other"), _usage(self._usage), self._provider_data())

    def _part(self, part: types.Part) -> Iterator[StreamEvent]:
        self._keep(part)
        if part.text:
            yield ReasoningDelta(part.text) if part.thought else TextDelta(part.text)

    def _keep(self, part: types.Part) -> None:
        """Keep a part as it came; text without a signature is joined with such text before it."""
        if part.thought and not part.thought_signature:
            return
        raw = part.model_dump(mode="json", by_alias=True, exclude_none=True)
        last = self._parts[-1] if self._parts else {}
        if raw.keys() == {"text"} == last.keys():
            last["text"] += raw["text"]
        else:
            self._parts.append(raw)

    def _provider_data(self) -> JsonObject | None:
        """The parts, if a signature makes them worth keeping."""
        signed = any("thoughtSignature" in part for part in self._parts)
        return {"parts": self._parts} if signed else None


def _refused(what: str, reason: str) -> Refused:
    words = _FILTERED.get(reason, "no reason is told")
    return Refused(f"Gemini blocked the {what}: {words} ({reason})", reason=reason)


def _usage(found: types.GenerateContentResponseUsageMetadata | None) -> Usage:
    """The usage as the contract counts: the API tells thoughts apart from the answer, and bills both as output."""
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
