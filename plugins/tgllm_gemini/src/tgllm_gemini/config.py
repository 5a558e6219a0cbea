"""Settings of a request in the format of the Gemini API (Gemini API: generateContent, thinking, function calling)."""

from google.genai import types

from tgllm.api.errors import Unsupported
from tgllm.api.types import ChatRequest
from tgllm_gemini.models import Family

__all__ = ["config_of", "declarations_of"]

_Mode = types.FunctionCallingConfigMode
_NAMED = "tool:"
"""Beginning of a ``ToolChoice`` that names a tool."""


def config_of(request: ChatRequest, family: Family) -> types.GenerateContentConfig:
    """Return the settings of a request.

    Raises:
        Unsupported: the model does not support the reasoning effort, or tools.
    """
    if request.tools and not family.calls_tools:
        raise Unsupported(f"{request.model} can't call tools", code="tools_unsupported")
    return types.GenerateContentConfig(
        system_instruction=request.system,
        temperature=request.temperature,
        max_output_tokens=request.max_output_tokens,
        thinking_config=_thinking(request, family),
        response_modalities=["TEXT", "IMAGE"] if family.makes_pictures else None,
        tools=[types.Tool(function_declarations=declarations_of(request))] if request.tools else None,
        tool_config=_choice(request),
        # One call is one request: the bot decides about further requests.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def declarations_of(request: ChatRequest) -> list[types.FunctionDeclaration]:
    """Describe the tools of a request.

    The field for JSON Schema is used: the older one, ``parameters``, takes a part of OpenAPI's schemas, and one key
    that it does not know fails the whole request.
    """
    return [
        types.FunctionDeclaration(
            name=tool.name, description=tool.description, parameters_json_schema=dict(tool.schema)
        )
        for tool in request.tools
    ]


def _choice(request: ChatRequest) -> types.ToolConfig | None:
    """Return the choice of tools; None for the default. The API has no setting against parallel calls."""
    choice = request.tool_choice
    if not request.tools or choice == "auto":
        return None
    if choice == "none":
        config = types.FunctionCallingConfig(mode=_Mode.NONE)
    else:
        names = [choice.removeprefix(_NAMED)] if choice.startswith(_NAMED) else None
        config = types.FunctionCallingConfig(mode=_Mode.ANY, allowed_function_names=names)
    return types.ToolConfig(function_calling_config=config)


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
