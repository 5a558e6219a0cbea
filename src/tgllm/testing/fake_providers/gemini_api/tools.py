"""Tools in requests to the Gemini API: their declarations, the choice, and calls with their results.

Source: the reference of ``Tool``, ``Schema`` and ``ToolConfig`` on ai.google.dev, and error messages in public issues.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

__all__ = ["FunctionCall", "FunctionResponse", "Tool", "ToolConfig"]

_NAME = r"^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Schema(_Message):
    """The part of OpenAPI's schemas that ``parameters`` takes; any other key is refused."""

    type: str | None = None
    format: str | None = None
    title: str | None = None
    description: str | None = None
    nullable: bool | None = None
    enum: list[str] | None = None
    items: "Schema | None" = None
    max_items: Any = None
    min_items: Any = None
    properties: dict[str, "Schema"] | None = None
    required: list[str] | None = None
    min_properties: Any = None
    max_properties: Any = None
    min_length: Any = None
    max_length: Any = None
    pattern: str | None = None
    example: Any = None
    any_of: list["Schema"] | None = None
    property_ordering: list[str] | None = None
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None


class FunctionDeclaration(_Message):
    """A function that the model may call."""

    name: str = Field(pattern=_NAME)
    description: str = ""
    parameters: Schema | None = None
    parameters_json_schema: dict[str, Any] | None = None
    response: Schema | None = None
    response_json_schema: Any = None
    behavior: str | None = None


class Tool(_Message):
    """Functions, or a tool of the service itself, such as its search."""

    function_declarations: list[FunctionDeclaration] = []
    google_search: dict[str, Any] | None = None
    google_search_retrieval: dict[str, Any] | None = None
    code_execution: dict[str, Any] | None = None
    url_context: dict[str, Any] | None = None


class FunctionCallingConfig(_Message):
    """Whether the model calls functions, and which."""

    mode: Literal["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"] = "AUTO"
    allowed_function_names: list[str] = []
    stream_function_call_arguments: bool | None = None


class ToolConfig(_Message):
    """Settings of all tools."""

    function_calling_config: FunctionCallingConfig = FunctionCallingConfig()
    retrieval_config: dict[str, Any] | None = None


class FunctionCall(_Message):
    """A call that the model has made."""

    id: str | None = None
    name: str
    args: dict[str, Any] = {}


class FunctionResponse(_Message):
    """The result of a call."""

    id: str | None = None
    name: str
    response: dict[str, Any]
    will_continue: bool | None = None
    scheduling: str | None = None
    parts: list[dict[str, Any]] | None = None
