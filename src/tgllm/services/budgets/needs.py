"""What a turn may need, and what it has used, in the units of budgets."""

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
"""Tokens of an answer at most, where nobody says how long it can be."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a turn may need."""

    question: Measures
    """In any case: what is sent."""
    most: Measures
    """With the longest answer."""


class OutputBounds:
    """How long the answers of a model can be; learns from those that were longer."""

    def __init__(self) -> None:
        """Know no answer yet."""
        self._longest: dict[ModelRef, int] = {}

    def of(self, ref: ModelRef, model: Model | None, request: ChatRequest) -> int:
        """Tokens of an answer at most: as the request or the model says, else by what it has written before."""
        if request.max_output_tokens is not None:
            return request.max_output_tokens
        if model is not None and model.max_output_tokens is not None:
            return model.max_output_tokens
        return max(LONG_ANSWER, self._longest.get(ref, 0))

    def learn(self, ref: ModelRef, tokens: int) -> None:
        """Take note of an answer."""
        if tokens > self._longest.get(ref, LONG_ANSWER):
            self._longest[ref] = tokens


def needs_of(question: int, longest_answer: int, rates: Rates | None) -> Needs:
    """What a request may need.

    Args:
        question: all that is sent, in tokens.
        longest_answer: in tokens.
        rates: the price of the model; None: it is not counted.
    """
    read = max(1, question)
    return Needs(measures_of(Usage(read, 0), rates), measures_of(Usage(read, longest_answer), rates))


def measures_of(tokens: Usage, rates: Rates | None) -> Measures:
    """A call with that many tokens, in the units of budgets."""
    return {
        "requests": 1,
        "tokens": (tokens.input_tokens or 0) + (tokens.output_tokens or 0),
        "cost": 0 if rates is None else cost(rates, tokens) or 0,
    }
