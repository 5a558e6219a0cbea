"""Tools in requests to the Messages API. Source: Anthropic's API reference and SDK, and errors in public issues."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["InputSchema", "Tool", "ToolChoice", "ToolResultBlock", "ToolUseBlock"]

_ID = r"^[a-zA-Z0-9_-]+$"
_NAME = r"^[a-zA-Z0-9_-]{1,64}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Mark(_Strict):
    """Mark of the end of a part that is cached."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class InputSchema(BaseModel):
    """JSON Schema of the arguments, whose other fields are not checked."""

    model_config = ConfigDict(extra="allow")

    type: Literal["object"]


class Tool(_Strict):
    """A tool of the client."""

    name: str = Field(pattern=_NAME)
    description: str = ""
    input_schema: InputSchema
    type: Literal["custom"] | None = None
    strict: bool | None = None
    cache_control: Mark | None = None


class ToolChoice(_Strict):
    """Whether the model calls tools, and which."""

    type: Literal["auto", "any", "none", "tool"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None

    @property
    def is_forced(self) -> bool:
        """Whether the model has to call a tool."""
        return self.type in {"any", "tool"}


class ToolUseBlock(_Strict):
    """A call of an earlier answer."""

    type: Literal["tool_use"]
    id: str = Field(pattern=_ID)
    name: str = Field(pattern=_NAME)
    input: dict[str, Any]
    cache_control: Mark | None = None


class TextOfResult(_Strict):
    """Text in a result."""

    type: Literal["text"]
    text: str = Field(min_length=1)


class ToolResultBlock(_Strict):
    """The result of a call."""

    type: Literal["tool_result"]
    tool_use_id: str = Field(pattern=_ID)
    content: str | list[TextOfResult] = ""
    is_error: bool = False
    cache_control: Mark | None = None
