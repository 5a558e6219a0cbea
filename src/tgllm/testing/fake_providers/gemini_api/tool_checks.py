"""Validation of tools, calls and results in requests to the Gemini API."""

from collections.abc import Sequence
from typing import cast

from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.gemini_api.body import Content, GenerateBody, Part
from tgllm.testing.fake_providers.gemini_api.errors import GeminiErrors
from tgllm.testing.fake_providers.gemini_api.signatures import Signatures, signed_calls
from tgllm.testing.fake_providers.gemini_api.tools import FunctionCall, FunctionDeclaration, FunctionResponse

__all__ = ["can_call", "check_calls", "check_signed_calls", "check_tools"]

_ERRORS = GeminiErrors()
_REFUSED_KEYS = {"$ref", "$defs"}
_CALL_ORDER = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
)
_RESPONSE_ORDER = "Please ensure that function response turn comes immediately after a function call turn."
_NUMBER = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
_MISSING = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
    "correctly, and missing thought_signature may lead to degraded model performance."
)


def can_call(model: str) -> bool:
    """Return whether a model calls functions."""
    return "image" not in model and not model.startswith("gemma-3")


def check_tools(body: GenerateBody, model: str, *, refused: bool) -> None:
    """Check declarations and the choice; ``refused``: the model takes no functions."""
    declared = [function for tool in body.tools or () for function in tool.function_declarations]
    if declared and (refused or not can_call(model)):
        raise _invalid(f"Function calling is not enabled for models/{model}")
    names = [function.name for function in declared]
    for number, function in enumerate(declared):
        _check_declaration(function, f"tools[0].function_declarations[{number}]")
        if names.index(function.name) != number:
            raise _invalid(f"Duplicate function declaration found: {function.name}")
    if body.tool_config is None:
        return
    config = body.tool_config.function_calling_config
    if config.mode == "ANY" and not declared:
        raise _invalid("Function calling config is set without function_declarations.")
    if config.allowed_function_names and config.mode not in {"ANY", "VALIDATED"}:
        raise _invalid("Allowed function names should only be set when the function calling mode is ANY or VALIDATED.")
    for name in config.allowed_function_names:
        if name not in names:
            raise _invalid(f"Allowed function name {name} is not in the function declarations.")


def _check_declaration(function: FunctionDeclaration, place: str) -> None:
    if function.parameters is not None and function.parameters_json_schema is not None:
        raise _invalid(f"{place}: parameters and parameters_json_schema can't both be set.")
    schema = function.parameters_json_schema
    if schema is not None and schema.get("type") != "object":
        raise _invalid(f"{place}.parameters_json_schema: the type should be object")


def check_calls(contents: Sequence[Content]) -> None:
    """Check that each call has its result in the next content, and each result its call in the one before."""
    before: list[FunctionCall] = []
    for number, content in enumerate(contents):
        calls = [part.function_call for part in content.parts if part.function_call]
        results = [part.function_response for part in content.parts if part.function_response]
        if (calls and content.role != "model") or (results and content.role == "model"):
            raise _invalid("Please use a valid role: user, model.")
        if calls and (number == 0 or contents[number - 1].role == "model"):
            raise _invalid(_CALL_ORDER)
        if results and not before:
            raise _invalid(_RESPONSE_ORDER)
        if len(results) != len(before):
            raise _invalid(_NUMBER)
        for call, result in zip(before, results, strict=True):
            _check_result(call, result)
        before = calls
    if before:
        raise _invalid(_NUMBER)


def _check_result(call: FunctionCall, result: FunctionResponse) -> None:
    if (call.id, call.name) != (result.id, result.name):
        raise _invalid(f"The function response of {result.name} is not that of the function call {call.name}.")
    if key := _refused_key(result.response):
        raise Refusal(_ERRORS.unknown_field(key, "contents[0].parts[0].function_response.response"))


def _refused_key(value: object) -> str | None:
    """Return a key of an object, at any depth, that the API does not take in results."""
    if isinstance(value, list):
        return next(filter(None, map(_refused_key, cast("list[object]", value))), None)
    if not isinstance(value, dict):
        return None
    items = cast("dict[str, object]", value).items()
    return next((key for name, item in items if (key := name if name in _REFUSED_KEYS else _refused_key(item))), None)


def check_signed_calls(model: str, contents: Sequence[Content], signatures: Signatures) -> None:
    """Check that calls of the current turn go back with their signature, together, unchanged and in their order."""
    for content in _current_turn(contents):
        calls = [part for part in content.parts if part.function_call]
        signed = [part for part in content.parts if part.thought_signature is not None]
        if not calls or model.startswith(("gemini-2.", "gemma")):
            continue
        if not signed or not _is_in_place(calls, signed):
            raise _invalid(_MISSING)
        told = signed_calls([part.function_call for part in calls if part.function_call])
        for part in signed:
            if part.thought_signature and not signatures.fits(part.thought_signature, told):
                raise _invalid("Corrupted thought signature.")


def _is_in_place(calls: Sequence[Part], signed: Sequence[Part]) -> bool:
    """Return whether the signature is on the first call, or on a text, as some answers have it."""
    return any(part is calls[0] or part.function_call is None for part in signed)


def _current_turn(contents: Sequence[Content]) -> Sequence[Content]:
    """Return the contents after the user's last words."""
    start = 0
    for number, content in enumerate(contents):
        if content.role != "model" and not any(part.function_response for part in content.parts):
            start = number + 1
    return contents[start:]


def _invalid(message: str) -> Refusal:
    return Refusal(_ERRORS.invalid(message))
