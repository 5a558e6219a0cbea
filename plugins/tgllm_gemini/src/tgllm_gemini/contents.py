"""Conversations in the format of the Gemini API (Gemini API: generateContent, thought signatures, function calling)."""

from collections.abc import Iterable, Mapping, Sequence

from google.genai import types
from pydantic import ValidationError

from tgllm.api.types import ChatMessage, ChatRequest, FilePart, JsonObject, Part, TextPart, ToolCallPart, ToolResultPart
from tgllm.providers.encoding.retelling import has_tool_parts, retold_message
from tgllm.providers.json_values import as_list, as_object, as_text

__all__ = ["FILE", "Files", "contents_of"]

Files = Mapping[FilePart, types.Part]
"""The part of each file of a conversation."""
FILE = "file"
"""Key of a stored part in place of a picture: the SHA-256 of its content, in hex."""

_Calls = Mapping[str, types.FunctionCall]
"""The model's own calls, by ``ToolCallPart.id``."""


def contents_of(request: ChatRequest, files: Files, *, replay: bool) -> list[types.Content]:
    """Encode the conversation.

    Args:
        request: the request.
        files: the part of each file of the conversation.
        replay: whether answers are sent as their original parts with signatures, or as plain text. Calls of tools need
            their signatures, so without them, calls and results are sent as text too.
    """
    contents = list(_contents(request.messages, files, replay=replay))
    return [content for content in contents if content.parts]


def _contents(messages: Iterable[ChatMessage], files: Files, *, replay: bool) -> Iterable[types.Content]:
    asked: Sequence[ToolCallPart] = ()
    own: _Calls = {}
    for message in messages:
        before, before_own = {call.id: call for call in asked}, own
        asked = [part for part in message.parts if isinstance(part, ToolCallPart)]
        kept = _kept_parts(message, files) if replay and message.role == "assistant" else []
        calls = [part.function_call for part in kept if part.function_call]
        if len(calls) != len(asked):
            # Parts of another model, or an answer whose calls were not made.
            kept, calls = [], []
        own = dict(zip([part.id for part in asked], calls, strict=True)) if calls else {}
        if kept:
            yield types.Content(role="model", parts=[*_said_before(message, kept), *kept])
        elif has_tool_parts(message) and not before_own:
            yield _content(retold_message(message, before), files, {})
        else:
            yield _content(message, files, before_own)


def _content(message: ChatMessage, files: Files, calls: _Calls) -> types.Content:
    parts = [_part(part, files, calls) for part in message.parts]
    # The API wants all results of a round in one content, and takes them first.
    parts.sort(key=lambda part: part.function_response is None)
    role = "user" if message.role == "user" else "model"
    return types.Content(role=role, parts=[part for part in parts if part.text != ""])


def _part(part: Part, files: Files, calls: _Calls) -> types.Part:
    match part:
        case TextPart():
            return types.Part(text=part.text)
        case FilePart():
            return files[part]
        case ToolResultPart() if call := calls.get(part.id):
            # As text, since the API refuses some keys of JSON inside a result, such as "$ref".
            told = {"error" if part.is_error else "output": part.text}
            response = types.FunctionResponse(id=call.id, name=call.name, response=told)
            return types.Part(function_response=response)
        case _:
            (only,) = retold_message(ChatMessage("user", (part,)), {}).parts
            return types.Part(text=only.text if isinstance(only, TextPart) else "")


def _said_before(message: ChatMessage, kept: Sequence[types.Part]) -> list[types.Part]:
    """Return what an answer said before its last calls of tools: the stored parts are of what followed them."""
    whole = message.text.rstrip()
    last = "".join(part.text or "" for part in kept if not part.thought).rstrip()
    if not last or not whole.endswith(last) or not (before := whole.removesuffix(last)).strip():
        return []
    return [types.Part(text=before)]


def _kept_parts(message: ChatMessage, files: Files) -> list[types.Part]:
    """Return the stored parts of an earlier answer, with its pictures; empty if there are none or a picture is gone."""
    pictures = {part.sha256: files[part] for part in message.parts if isinstance(part, FilePart)}
    try:
        return [_kept_part(as_object(part), pictures) for part in as_list((message.provider_data or {}).get("parts"))]
    except (ValidationError, KeyError):
        return []


def _kept_part(kept: JsonObject, pictures: Mapping[str, types.Part]) -> types.Part:
    if FILE not in kept:
        return types.Part.model_validate(kept)
    picture = pictures[as_text(kept[FILE])]
    signature = types.Part.model_validate({name: value for name, value in kept.items() if name != FILE})
    return picture.model_copy(update={"thought_signature": signature.thought_signature})
