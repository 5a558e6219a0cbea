"""Request body of a chat completion of the DeepSeek API, which ignores unknown fields.

Source: the reference of ``POST /chat/completions`` on api-docs.deepseek.com.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

__all__ = ["ChatBody", "Message", "all_text", "complaint", "has_image", "question_of", "text_of"]


class Part(BaseModel):
    """A part of a message; the allowed types depend on the model."""

    type: str
    text: str | None = None
    image_url: dict[str, Any] | None = None
    file_id: str | None = None


class Message(BaseModel):
    """A message of any role."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    name: str | None = None
    prefix: bool = False
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    @property
    def parts(self) -> list[Part]:
        """The content as a list of parts."""
        if isinstance(self.content, list):
            return self.content
        return [Part(type="text", text=self.content or "")]


class _Thinking(BaseModel):
    type: Literal["enabled", "disabled"]


class _StreamOptions(BaseModel):
    include_usage: bool = False


class ChatBody(BaseModel):
    """The request body."""

    model: str
    messages: list[Message] = Field(min_length=1)
    thinking: _Thinking | None = None
    reasoning_effort: Literal["minimal", "low", "medium", "high", "xhigh", "max", "ultra"] | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=393_216)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    stream: bool = False
    stream_options: _StreamOptions | None = None
    stop: str | list[str] | None = None
    user_id: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None

    @property
    def thinks(self) -> bool:
        """Whether the model reasons, which is the default."""
        return self.thinking is None or self.thinking.type == "enabled"


def complaint(error: ValidationError) -> str:
    """Return a description of the first error, in the style of the API's parser."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    return f"Failed to deserialize the JSON body into the target type: {place}: {first['msg']} at line 1 column 1"


def has_image(message: Message) -> bool:
    """Return whether a message contains an image."""
    return any(part.type in {"image_url", "file"} for part in message.parts)


def text_of(message: Message) -> str:
    """Return the text of a message."""
    return "".join(part.text or "" for part in message.parts)


def all_text(body: ChatBody) -> str:
    """Return the text of all messages."""
    return "".join(text_of(message) for message in body.messages)


def question_of(body: ChatBody) -> str:
    """Return the text of the user's last message."""
    return next((text_of(message) for message in reversed(body.messages) if message.role == "user"), "")
