"""A request in the form of llm: the whole conversation as messages, and the same once more for older plugins."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

import llm
from llm.parts import Message

from tgllm.api.errors import Unsupported
from tgllm.api.types import ChatMessage, ChatRequest, FilePart, JsonObject, TextPart
from tgllm.providers.attachments import unsupported
from tgllm.providers.encoding.retelling import has_tool_parts

__all__ = ["Question", "ask", "replayed"]


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt of llm and the conversation that it belongs to."""

    prompt: Any
    """An ``llm.Prompt``."""
    conversation: Any
    """An ``llm.Conversation`` or ``llm.AsyncConversation``; None for the first question."""


async def ask(model: Any, request: ChatRequest, options: Any) -> Question:  # noqa: ANN401  llm's models and options
    """Return the question for a model.

    Raises:
        Unsupported: the model does not take a file or earlier messages, or there are tools.
    """
    if request.tools or any(map(has_tool_parts, request.messages)):
        # llm can force no call and forbid none, which the end of a turn with tools needs.
        raise Unsupported(f"{model.model_id} is asked without tools", code="tools_unsupported")
    *earlier, last = [_Turn(each, await _attachments(model, each)) for each in request.messages]
    if earlier and not model.supports_conversation:
        raise Unsupported(f"{model.model_id} takes one question at a time: start a new conversation before each")
    messages = [llm.system(request.system)] if request.system else []
    for turn in (*earlier, last):
        messages += turn.messages
    prompt = llm.Prompt(
        last.text,
        model=model,
        attachments=last.attachments,
        system=request.system,
        messages=messages,
        options=options,
    )
    return Question(prompt, _conversation(model, earlier) if earlier else None)


def replayed(messages: Sequence[Any]) -> JsonObject | None:
    """Return what has to be sent again with an answer, such as signatures of its reasoning; None for nothing."""
    written = [message.to_dict() for message in messages]
    has_data = any(message.get("provider_metadata") or _has_data(message) for message in written)
    return {"messages": written} if has_data else None


def _has_data(message: Any) -> bool:  # noqa: ANN401  llm's dictionaries
    return any(part.get("provider_metadata") for part in message.get("parts", ()))


@dataclass(frozen=True, slots=True)
class _Turn:
    message: ChatMessage
    attachments: Sequence[Any]

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def messages(self) -> Sequence[Any]:
        """The message in the form of llm; an answer with what has to be sent again may be several."""
        if self.message.role == "user":
            files = iter(self.attachments)
            return [
                llm.user(*[part.text if isinstance(part, TextPart) else next(files) for part in self.message.parts])
            ]
        return _stored(self.message) or [llm.assistant(self.text)]


def _stored(message: ChatMessage) -> Sequence[Any]:
    written = (message.provider_data or {}).get("messages")
    stored = cast("list[Any]", written) if isinstance(written, list) else []
    try:
        read: list[Any] = [Message.from_dict(each) for each in stored]
        told = "".join(part.text for each in read for part in each.parts if part.to_dict()["type"] == "text")
    except (AttributeError, KeyError, TypeError, ValueError):
        # Of another version of llm.
        return []
    # An answer that has changed since is sent as it is now.
    return read if told == message.text else []


async def _attachments(model: Any, message: ChatMessage) -> Sequence[Any]:  # noqa: ANN401  llm's models
    files = [part for part in message.parts if isinstance(part, FilePart)]
    for file in files:
        if not any(fnmatchcase(file.mime_type, kind) for kind in model.attachment_types):
            raise unsupported(file, str(model.model_id))
    contents = [await asyncio.to_thread(_content, file) for file in files]
    return [llm.Attachment(type=file.mime_type, content=content) for file, content in zip(files, contents, strict=True)]


def _content(file: FilePart) -> bytes:
    try:
        return file.path.read_bytes()
    except OSError:
        raise Unsupported("a file of the conversation no longer exists") from None


def _conversation(model: Any, earlier: Sequence[_Turn]) -> Any:  # noqa: ANN401  llm's classes
    """Return the earlier turns as responses, which older plugins read in place of the messages."""
    conversation = model.conversation()
    questions: list[_Turn] = []
    for turn in earlier:
        if turn.message.role == "user":
            questions.append(turn)
            continue
        prompt = llm.Prompt(
            "\n\n".join(each.text for each in questions),
            model=model,
            attachments=[file for each in questions for file in each.attachments],
        )
        kind = llm.AsyncResponse if isinstance(model, llm.AsyncModel | llm.AsyncKeyModel) else llm.Response
        response: Any = kind(prompt, model, stream=False)
        response._done = True  # noqa: SLF001  as in llm.AsyncResponse.fake, which llm.Response does not have
        response._chunks = [turn.text]  # noqa: SLF001  as in llm.AsyncResponse.fake
        conversation.responses.append(response)
        questions = []
    return conversation
