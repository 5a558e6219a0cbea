"""Options of a model for the settings of a question, by the model's own ``Options`` class."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from tgllm.api.errors import Unsupported
from tgllm.api.types import ChatRequest, ReasoningEffort

__all__ = ["can_reason", "options_for"]

_LIMITS: Final = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "max_tokens_to_sample",
    "max_new_tokens",
    "num_predict",
)
"""Names of the maximum of output tokens among the plugins of llm."""
_EFFORTS: Final = ("reasoning_effort", "thinking_effort", "effort", "thinking_level")
_SWITCHES: Final = ("thinking", "think", "enable_thinking")
_BUDGETS: Final = ("thinking_budget",)
_TOKENS: Final[Mapping[ReasoningEffort, int]] = {"none": 0, "low": 1024, "medium": 8192, "high": 24576}


def options_for(model: Any, request: ChatRequest, given: Mapping[str, object]) -> Any:  # noqa: ANN401  llm's models
    """Return the options of a model: ``given`` by the operator, and above them those of the question.

    Raises:
        Unsupported: the model has no option for a setting, or does not take its value.
    """
    fields: Mapping[str, object] = model.Options.model_fields
    options = dict(given)
    if request.temperature is not None:
        options[_named(model, fields, ("temperature",), "temperature")] = request.temperature
    if request.max_output_tokens is not None:
        options[_named(model, fields, _LIMITS, "max_output_tokens")] = request.max_output_tokens
    if request.reasoning_effort is None:
        return _checked(model, options)
    refused: Unsupported | None = None
    for effort in _efforts(fields, request.reasoning_effort):
        try:
            return _checked(model, {**options, **effort})
        except Unsupported as error:
            refused = error
    raise refused or Unsupported(
        f"{model.model_id} has no option for a reasoning effort", rejected_field="reasoning_effort"
    )


def can_reason(model: Any) -> bool:  # noqa: ANN401  llm's models
    """Return whether a model has an option for reasoning."""
    return any(name in model.Options.model_fields for name in (*_EFFORTS, *_SWITCHES, *_BUDGETS))


def _named(model: Any, fields: Mapping[str, object], names: tuple[str, ...], setting: str) -> str:  # noqa: ANN401  llm's models
    for name in names:
        if name in fields:
            return name
    raise Unsupported(f"{model.model_id} has no option for {setting}", rejected_field=setting)


def _efforts(fields: Mapping[str, object], effort: ReasoningEffort) -> Iterator[Mapping[str, object]]:
    """Yield the ways to say an effort with these options; what a model accepts is seen by trying."""
    for name in _EFFORTS:
        if name in fields:
            yield {name: effort}
    for name in _BUDGETS:
        if name in fields:
            yield {name: _TOKENS[effort]}
    for name in _SWITCHES:
        if name in fields:
            yield {name: effort != "none"}


def _checked(model: Any, options: Mapping[str, object]) -> Any:  # noqa: ANN401  llm's models
    try:
        return model.Options(**options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"])) or "options"
        raise Unsupported(
            f"{model.model_id} does not take the option {name}: {first['msg']}", rejected_field=name
        ) from None
