"""Conversations in the format of the Messages API (Anthropic API: messages, extended thinking, tool use)."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tgllm.api.errors import Unsupported
from tgllm.api.types import ChatMessage, FilePart, Json, JsonObject, Part, TextPart, ToolCallPart, ToolResultPart
from tgllm.providers.attachments import moved_to_questions
from tgllm.providers.encoding.tool_messages import sendable_id, sendable_name
from tgllm.providers.json_values import as_list, as_object, as_text
from tgllm_anthropic.models import PDF

__all__ = ["Body", "begins_with_thought", "messages_of"]

Body = dict[str, Json]
"""A JSON object under construction."""

_Blocks = list[Body]
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_THOUGHTS = {"thinking", "redacted_thinking"}
_RESULT = "tool_result"


def messages_of(messages: Iterable[ChatMessage], *, thoughts: bool, thoughts_of_calls: bool) -> list[Body]:
    """Encode messages; those without content are left out.

    Args:
        messages: the conversation.
        thoughts: whether answers are sent with their reasoning.
        thoughts_of_calls: whether answers with calls of tools are, which need it as long as the model reasons.
    """
    found: list[Body] = []
    ids: Mapping[str, str] = {}
    for message in moved_to_questions(messages):
        if message.role == "user":
            content = _question(message, ids)
        else:
            calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
            own = _own_blocks(message, calls)
            sent = own or [*_thoughts(message.provider_data), *map(_part, message.parts)]
            ids = _ids(calls, sent)
            content = _answer(sent, thoughts=thoughts_of_calls if calls else thoughts)
        if content:
            found.append({"role": message.role, "content": content})
    return found


def begins_with_thought(messages: Sequence[Body]) -> bool:
    """Return whether the answer that is in progress begins with reasoning; true if none is.

    An answer with calls of tools is in progress until its last call has a result and the model has gone on.
    """
    first: Body | None = None
    for message in reversed(messages):
        kinds = [as_text(as_object(block).get("type")) for block in as_list(message["content"])]
        if message["role"] == "user" and _RESULT not in kinds:
            break
        first = message if message["role"] == "assistant" else first
    return first is None or as_text(as_object(as_list(first["content"])[0]).get("type")) in _THOUGHTS


def _question(message: ChatMessage, ids: Mapping[str, str]) -> _Blocks:
    """Encode a message of the user; the API wants results of tools first."""
    results = [_result(part, ids) for part in message.parts if isinstance(part, ToolResultPart)]
    others = [_part(part) for part in message.parts if not isinstance(part, ToolResultPart)]
    return [*results, *filter(_is_said, others)]


def _answer(blocks: _Blocks, *, thoughts: bool) -> _Blocks:
    kept = [block for block in blocks if _is_said(block) and (thoughts or block["type"] not in _THOUGHTS)]
    # Reasoning without an answer is refused.
    return kept if any(block["type"] not in _THOUGHTS for block in kept) else []


def _is_said(block: Body) -> bool:
    return block["type"] != "text" or bool(as_text(block["text"]).strip())


def _own_blocks(message: ChatMessage, calls: Sequence[ToolCallPart]) -> _Blocks:
    """Return the stored blocks of an answer with calls, in their order; empty if they are not those of its calls."""
    kept = list(map(as_object, as_list((message.provider_data or {}).get("blocks"))))
    if not calls or sum(block.get("type") == "tool_use" for block in kept) != len(calls):
        return []
    rest = iter(calls)
    blocks: _Blocks = []
    for block in kept:
        match as_text(block.get("type")):
            case "tool_use":
                blocks.append({**_part(next(rest)), "id": as_text(block.get("id"))})
            case "text":
                blocks.append({"type": "text", "text": as_text(block.get("text"))})
            case _:
                blocks += _thought(block)
    return blocks


def _ids(calls: Sequence[ToolCallPart], blocks: _Blocks) -> Mapping[str, str]:
    """Return the id of each call as it is sent, by its neutral id."""
    sent = [as_text(block["id"]) for block in blocks if block["type"] == "tool_use"]
    return dict(zip([call.id for call in calls], sent, strict=True))


def _thoughts(data: JsonObject | None) -> Iterator[Body]:
    """Yield the blocks of reasoning of an earlier answer, as the API sent them."""
    for block in map(as_object, as_list((data or {}).get("thinking"))):
        yield from _thought(block)


def _thought(block: JsonObject) -> Iterator[Body]:
    match as_text(block.get("type")):
        case "thinking" if as_text(block.get("signature")):
            words = as_text(block.get("thinking"))
            yield {"type": "thinking", "thinking": words, "signature": as_text(block.get("signature"))}
        case "redacted_thinking" if as_text(block.get("data")):
            yield {"type": "redacted_thinking", "data": as_text(block.get("data"))}
        case _:
            pass


def _part(part: Part) -> Body:
    """Encode a part of a message. Reads files, so it runs in a thread if there are any.

    Raises:
        Unsupported: a file no longer exists.
    """
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case FilePart():
            return _file(part)
        case ToolCallPart():
            # Another model may have made up a name that this API refuses.
            name = sendable_name(part.name)
            return {"type": "tool_use", "id": _id(part.id), "name": name, "input": dict(part.arguments)}
        case ToolResultPart():
            return _result(part, {})


def _result(part: ToolResultPart, ids: Mapping[str, str]) -> Body:
    content: Body = {"content": part.text} if part.text.strip() else {}
    failed: Body = {"is_error": True} if part.is_error else {}
    return {"type": _RESULT, "tool_use_id": ids.get(part.id) or _id(part.id), **content, **failed}


def _id(neutral: str) -> str:
    """Return an id that the API takes."""
    return sendable_id(neutral, _ID, prefix="toolu_")


def _file(part: FilePart) -> Body:
    try:
        data = base64.b64encode(part.path.read_bytes()).decode()
    except OSError:
        raise Unsupported("a file of the conversation no longer exists") from None
    source: Body = {"type": "base64", "media_type": part.mime_type, "data": data}
    if part.mime_type == PDF:
        return {"type": "document", "source": source, **({"title": part.name} if part.name else {})}
    return {"type": "image", "source": source}
