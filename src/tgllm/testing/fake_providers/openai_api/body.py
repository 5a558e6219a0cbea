"""Request body of a chat completion. Source: OpenAI's API reference and SDK."""

from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["ChatBody", "all_text", "complaint", "has_image", "question_of"]


class Part(BaseModel):
    """A part of a message."""

    type: str
    text: str | None = None
    image_url: dict[str, Any] | None = None


class Message(BaseModel):
    """A message of any role."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    @property
    def parts(self) -> list[Part]:
        """The content as a list of parts."""
        return self.content if isinstance(self.content, list) else [Part(type="text", text=self.content or "")]


class _StreamOptions(BaseModel):
    include_usage: bool = False


class ChatBody(BaseModel):
    """The request body; fields that are not here are not validated."""

    model_config = ConfigDict(extra="allow")

    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: _StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None

    @property
    def asks_usage(self) -> bool:
        """Whether a stream shall end with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def thinks(self) -> bool:
        """Whether reasoning is wanted, by any of the fields that services have for it."""
        extra: dict[str, Any] = self.model_extra or {}
        template: object = extra.get("chat_template_kwargs") or extra.get("chat_template_args")
        return not (
            self.reasoning_effort == "none"
            or _of(extra.get("reasoning"), "enabled") is False
            or _of(extra.get("thinking"), "type") == "disabled"
            or extra.get("enable_thinking") is False
            or _of(template, "enable_thinking") is False
        )


def complaint(error: ValidationError) -> tuple[str, str]:
    """Return the first error in the API's words, and the name of its field."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    return f"Invalid value for '{place}': {first['msg']}.", place


def has_image(body: ChatBody) -> bool:
    """Return whether a message contains an image."""
    return any(part.type == "image_url" for message in body.messages for part in message.parts)


def all_text(body: ChatBody) -> str:
    """Return the text of all messages."""
    return "".join(part.text or "" for message in body.messages for part in message.parts)


def question_of(body: ChatBody) -> str:
    """Return the text of the user's last message."""
    said = next((message for message in reversed(body.messages) if message.role == "user"), None)
    return "".join(part.text or "" for part in said.parts) if said else ""


def _of(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
