"""Texts on models: names, capabilities and prices."""

import difflib
from collections.abc import Iterator

from tgllm.bot.ui.usage_words import Say
from tgllm.db.tables.models import Model
from tgllm.i18n import Catalogue
from tgllm.i18n.numbers import dollars
from tgllm.services.common.text import one_line
from tgllm.services.models.choices import ModelChoices
from tgllm.services.models.pricing import Prices, Rates

__all__ = ["model_details", "model_name", "model_title", "nothing_found"]

MOST_TITLE = 100
"""Most UTF-16 units of a title in a text."""
_UNITS = ((1_000_000, "M"), (1_000, "K"))


def model_title(model: Model) -> str:
    """Return a model's title on one line, truncated."""
    return one_line(model.title, MOST_TITLE) or _ref(model)


def model_name(model: Model) -> str:
    """Return a model's title and reference, or only the reference if the title adds nothing."""
    title = model_title(model)
    return _ref(model) if title in {model.model, _ref(model)} else f"{title} ({_ref(model)})"


def _ref(model: Model) -> str:
    return one_line(str(model.ref), MOST_TITLE)


def model_details(model: Model, prices: Prices, texts: Catalogue, language: str) -> str:
    """Return the context window, capabilities and price, as far as they are known."""
    return "; ".join(_details(model, prices.of(model), texts, language))


def nothing_found(say: Say, choices: ModelChoices, query: str) -> str:
    """Return the text on an unknown model, with similar names."""
    names = [str(model.ref) for model in choices.models] + [model.model for model in choices.models]
    near = difflib.get_close_matches(query, names, n=3)
    if near:
        return say("model_list.none_near", query=query, models=", ".join(near))
    return say("model_list.none_found", query=query)


def _details(model: Model, rates: Rates | None, texts: Catalogue, language: str) -> Iterator[str]:
    if model.context_window is not None:
        window = model.context_window
        # "K" and "M" are read as thousands and millions, with the plural form of those.
        count = min(_UNITS[-1][0], window)
        yield texts("model_list.window", language, number=_compact(window), count=count)
    abilities = ", ".join(_abilities(model, texts, language))
    if abilities:
        yield abilities
    if rates is not None and not rates.input and not rates.output:
        yield texts("model_list.free", language)
    elif rates is not None:
        yield texts("model_list.price", language, input=dollars(rates.input), output=dollars(rates.output))


def _abilities(model: Model, texts: Catalogue, language: str) -> Iterator[str]:
    if any(kind.startswith("image/") for kind in model.mime_types):
        yield texts("model_list.vision", language)
    if any(not kind.startswith("image/") for kind in model.mime_types):
        yield texts("model_list.files", language)
    if model.reasoning:
        yield texts("model_list.reasoning", language)


def _compact(tokens: int) -> str:
    """Return a short form of a number of tokens: 131072 is 131K."""
    for size, letter in _UNITS:
        if tokens >= size:
            return (
                f"{tokens / size:.1f}".removesuffix(".0") + letter
                if tokens < 10 * size
                else f"{tokens // size}{letter}"
            )
    return str(tokens)
