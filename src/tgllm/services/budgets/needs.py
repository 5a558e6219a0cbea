"""Amounts that a turn may need or has used, in the units of budgets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tgllm.api import ChatRequest, ModelRef, Usage
from tgllm.api.budgets import Measure
from tgllm.db.tables.models import Model
from tgllm.services.models.pricing import Rates, cost

__all__ = ["Measures", "Needs", "OutputBounds", "measures_of", "needs_of"]

Measures: TypeAlias = Mapping[Measure, int]

LONG_ANSWER = 4096
"""Longest answer that is assumed, in tokens, if neither the request nor the model has a limit."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Amounts that a turn may need."""

    question: Measures
    """With an empty answer."""
    most: Measures
    """With the longest answer."""


class OutputBounds:
    """Longest answers of models; raised by each answer that was longer."""

    def __init__(self) -> None:
        self._longest: dict[ModelRef, int] = {}

    def of(self, ref: ModelRef, model: Model | None, request: ChatRequest) -> int:
        """Return the maximum tokens of an answer: by the request, by the model, or by its longest answer so far."""
        if request.max_output_tokens is not None:
            return request.max_output_tokens
        if model is not None and model.max_output_tokens is not None:
            return model.max_output_tokens
        return max(LONG_ANSWER, self._longest.get(ref, 0))

    def learn(self, ref: ModelRef, tokens: int) -> None:
        """Raise the bound of a model after a longer answer."""
        if tokens > self._longest.get(ref, LONG_ANSWER):
            self._longest[ref] = tokens


def needs_of(question: int, longest_answer: int, rates: Rates | None) -> Needs:
    """Return what a request may need.

    Args:
        question: the whole request, in tokens.
        longest_answer: in tokens.
        rates: the price of the model; None: cost is not counted.
    """
    read = max(1, question)
    return Needs(measures_of(Usage(read, 0), rates), measures_of(Usage(read, longest_answer), rates))


def measures_of(tokens: Usage, rates: Rates | None) -> Measures:
    """Return what one call with these tokens uses, in the units of budgets."""
    return {
        "requests": 1,
        "tokens": (tokens.input_tokens or 0) + (tokens.output_tokens or 0),
        "cost": 0 if rates is None else cost(rates, tokens) or 0,
    }
