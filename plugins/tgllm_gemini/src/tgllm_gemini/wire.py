"""Wire format of the Gemini API (Gemini API: generateContent, thinking, thought signatures)."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from google.genai import types
from pydantic import ValidationError

from tgllm.api.errors import BadResponse, ProviderError, Refused, Unsupported
from tgllm.api.events import FileDelta, Finished, ReasoningDelta, StreamEvent, TextDelta
from tgllm.api.types import ChatMessage, ChatRequest, FilePart, FinishReason, JsonObject, Usage
from tgllm.providers.failure import incomplete
from tgllm.providers.json_values import as_list, as_object, as_text
from tgllm_gemini.models import Family

__all__ = ["AnswerReader", "config_of", "contents_of"]

Parts = Mapping[FilePart, types.Part]

_FINISHED: Mapping[str, FinishReason] = {"STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length"}
_NO_PICTURE = {"NO_IMAGE", "IMAGE_OTHER"}
_FILE = "file"
"""Key of a stored part in place of a picture: the SHA-256 of its content, in hex."""
_BROKEN = {"MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"}
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


def contents_of(request: ChatRequest, files: Parts, *, replay: bool) -> list[types.Content]:
    """Encode the conversation.

    Args:
        request: the request.
        files: the part of each file of the conversation.
        replay: whether answers are sent as their original parts with signatures, or as plain text.
    """
    contents = [_content(message, files, replay=replay) for message in request.messages]
    return [content for content in contents if content.parts]


def _content(message: ChatMessage, files: Parts, *, replay: bool) -> types.Content:
    parts = [files[part] if isinstance(part, FilePart) else types.Part(text=part.text) for part in message.parts]
    said = [part for part in parts if part.text != ""]
    if message.role == "user":
        return types.Content(role="user", parts=said)
    return types.Content(role="model", parts=(_kept_parts(message, files) if replay else []) or said)


def _kept_parts(message: ChatMessage, files: Parts) -> list[types.Part]:
    """Return the stored parts of an earlier answer, with its pictures; empty if there are none or a picture is gone."""
    pictures = {part.sha256: files[part] for part in message.parts if isinstance(part, FilePart)}
    try:
        return [_kept_part(as_object(part), pictures) for part in as_list((message.provider_data or {}).get("parts"))]
    except (ValidationError, KeyError):
        return []


def _kept_part(kept: JsonObject, pictures: Mapping[str, types.Part]) -> types.Part:
    if _FILE not in kept:
        return types.Part.model_validate(kept)
    picture = pictures[as_text(kept[_FILE])]
    signature = types.Part.model_validate({name: value for name, value in kept.items() if name != _FILE})
    return picture.model_copy(update={"thought_signature": signature.thought_signature})


def config_of(request: ChatRequest, family: Family) -> types.GenerateContentConfig:
    """Return the settings of a request.

    Raises:
        Unsupported: the model does not support the reasoning effort.
    """
    return types.GenerateContentConfig(
        system_instruction=request.system,
        temperature=request.temperature,
        max_output_tokens=request.max_output_tokens,
        thinking_config=_thinking(request, family),
        response_modalities=["TEXT", "IMAGE"] if family.makes_pictures else None,
        # One call is one request: the bot decides about further requests.
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
    """Reader of one streamed answer."""

    def __init__(self, host: str = "the service") -> None:
        """Create a reader for one answer; ``host`` is the name or address of the service, for messages."""
        self._host = host
        self._has_begun = False
        self._parts: list[dict[str, Any]] = []
        self._usage: types.GenerateContentResponseUsageMetadata | None = None
        self._finish = ""
        self._has_picture = False

    @property
    def finished(self) -> bool:
        """Whether the answer has a finish reason."""
        return bool(self._finish)

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
            BadResponse: the model generated an invalid answer.
            Unavailable: the answer is incomplete.
        """
        if not self._finish:
            raise incomplete(self._host, has_begun=self._has_begun)
        if self._finish in _FILTERED:
            raise _refused("answer", self._finish)
        if self._finish in _NO_PICTURE and not self._has_picture:
            raise ProviderError(f"the model made no picture ({self._finish})", code="no_picture")
        if self._finish in _BROKEN:
            raise BadResponse(f"the model generated an invalid answer ({self._finish})")
        return Finished(_FINISHED.get(self._finish, "other"), _usage(self._usage), self._provider_data())

    def _part(self, part: types.Part) -> Iterator[StreamEvent]:
        self._keep(part)
        data = part.inline_data
        if data and data.data and not part.thought:
            # Pictures among the thoughts are interim ones.
            self._has_picture = True
            yield FileDelta(data.data, data.mime_type or "", data.display_name)
        if part.text:
            yield ReasoningDelta(part.text) if part.thought else TextDelta(part.text)

    def _keep(self, part: types.Part) -> None:
        """Store a part unchanged; consecutive text parts without a signature are joined."""
        if part.thought and not part.thought_signature:
            return
        raw = part.model_copy(update={"inline_data": None}).model_dump(mode="json", by_alias=True, exclude_none=True)
        if part.inline_data and part.inline_data.data:
            # The picture itself is stored as a file.
            raw[_FILE] = hashlib.sha256(part.inline_data.data).hexdigest()
        last = self._parts[-1] if self._parts else {}
        if raw.keys() == {"text"} == last.keys():
            last["text"] += raw["text"]
        else:
            self._parts.append(raw)

    def _provider_data(self) -> JsonObject | None:
        """Return the parts, if one has a signature."""
        signed = any("thoughtSignature" in part for part in self._parts)
        return {"parts": self._parts} if signed else None


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
