"""Request body of a chat completion of the Mistral API, which refuses unknown fields.

Source: the OpenAPI description of ``POST /v1/chat/completions``, in which additional properties are forbidden.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["ChatBody", "Message", "invalid_fields", "question_of", "text_of"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Text(_Strict):
    type: Literal["text"]
    text: str


class _Thinking(_Strict):
    type: Literal["thinking"]
    thinking: list[Any]
    closed: bool = True
    signature: str | None = None


class _ImageUrl(_Strict):
    url: str
    detail: str | None = None


class _Image(_Strict):
    type: Literal["image_url"]
    image_url: str | _ImageUrl


class _Document(_Strict):
    type: Literal["document_url"]
    document_url: str
    document_name: str | None = None


class _File(_Strict):
    type: Literal["file"]
    file_id: str


class _Audio(_Strict):
    type: Literal["input_audio"]
    input_audio: str | dict[str, Any]


_Chunk = Annotated[_Text | _Thinking | _Image | _Document | _File | _Audio, Field(discriminator="type")]
_Content = str | list[_Chunk]


class _System(_Strict):
    role: Literal["system"]
    content: _Content


class _User(_Strict):
    role: Literal["user"]
    content: _Content


class _Assistant(_Strict):
    role: Literal["assistant"]
    content: _Content | None = None
    tool_calls: list[dict[str, Any]] | None = None
    prefix: bool = False


class _Tool(_Strict):
    role: Literal["tool"]
    content: _Content | None
    tool_call_id: str | None = None
    name: str | None = None


Message = Annotated[_System | _User | _Assistant | _Tool, Field(discriminator="role")]


class _Function(_Strict):
    name: str
    description: str = ""
    strict: bool = False
    parameters: dict[str, Any]


class _ToolDefinition(_Strict):
    type: Literal["function"] = "function"
    function: _Function


class ChatBody(_Strict):
    """The request body; an unknown field at any depth is an error."""

    model: str
    messages: list[Message]
    temperature: float | None = Field(default=None, ge=0, le=1.5)
    top_p: float | None = Field(default=None, ge=0, le=1)
    max_tokens: int | None = Field(default=None, ge=0)
    stream: bool = False
    stop: str | list[str] | None = None
    random_seed: int | None = Field(default=None, ge=0)
    response_format: dict[str, Any] | None = None
    tools: list[_ToolDefinition] | None = None
    tool_choice: Literal["auto", "none", "any", "required"] | dict[str, Any] | None = None
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    n: int | None = Field(default=None, ge=1)
    prediction: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    prompt_mode: Literal["reasoning"] | None = None
    guardrails: list[dict[str, Any]] | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    metadata: dict[str, Any] | None = None
    safe_prompt: bool = False


def invalid_fields(error: ValidationError) -> list[dict[str, Any]]:
    """Return the list of errors in the API's format."""
    details = error.errors(include_url=False, include_context=False)
    return [{**detail, "loc": ["body", *detail["loc"]]} for detail in details]


def text_of(message: Message) -> str:
    """Return the text of a message."""
    content = message.content or ""
    if isinstance(content, str):
        return content
    return "".join(chunk.text for chunk in content if isinstance(chunk, _Text))


def question_of(body: ChatBody) -> str:
    """Return the text of the user's last message."""
    return next((text_of(message) for message in reversed(body.messages) if message.role == "user"), "")
