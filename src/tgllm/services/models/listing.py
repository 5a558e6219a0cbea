"""Fetching and validation of a provider's model list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tgllm.api import ModelInfo, NotConfigured, Price, TgllmError
from tgllm.config.sections.prices import MOST_DOLLARS
from tgllm.db.tables.models import NewModel
from tgllm.plugins.calls.outcome import Breach, Raised, contract_error, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.common.text import mend_surrogates, sentence
from tgllm.services.models.diff import ProviderReport
from tgllm.services.models.pricing import to_micros
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["Listed", "checked_models", "pull_models"]

_MOST = 2**62


def checked_models(provider: str, answer: object) -> Sequence[NewModel]:
    """Validate and convert the result of ``list_models``; of duplicate ids, the first one is used.

    Raises:
        Breach: the result violates the provider contract; no part of it is used then.
    """
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise Breach(f"list_models returned a {type(answer).__name__} instead of a sequence of ModelInfo")
    found: dict[str, NewModel] = {}
    for info in answer:  # pyright: ignore[reportUnknownVariableType]  from a plugin, so each item is checked
        if not isinstance(info, ModelInfo):
            raise Breach(f"list_models returned a {type(info).__name__} among the models")  # pyright: ignore[reportUnknownArgumentType]  from a plugin
        model = _checked(provider, info)
        found.setdefault(model.model, model)
    return tuple(found.values())


def _checked(provider: str, info: ModelInfo) -> NewModel:
    if not isinstance(info.id, str) or not info.id.strip():  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
        raise Breach(f"list_models returned a model with the id {info.id!r}")
    try:
        return _new_model(provider, info)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        name = mend_surrogates(info.id)
        raise Breach(f"list_models returned the model {name} with a field of the wrong type: {error}") from error


def _new_model(provider: str, info: ModelInfo) -> NewModel:
    # Raises for a lone surrogate: it can't be stored, and replacing it would change the id.
    info.id.encode()
    rates = None if info.price is None else to_micros(_checked_price(info.price))
    return NewModel(
        provider=provider,
        model=info.id,
        title=_text(info.title) or info.id,
        aliases=tuple(sorted({*_texts("aliases", info.aliases)} - {info.id})),
        context_window=_tokens(info.context_window),
        max_output_tokens=_tokens(info.max_output_tokens),
        mime_types=tuple(sorted(_texts("mime_types", info.mime_types))),
        reasoning=bool(info.reasoning),
        input_price=rates and rates.input,
        output_price=rates and rates.output,
        cached_price=rates and rates.cached,
        cache_write_price=rates and rates.cache_write,
        price_as_of=(rates and _text(rates.as_of)) or None,
        # A plugin may set a value of any type.
        tools=None if info.tools is None else bool(info.tools),
    )


def _text(value: str) -> str:
    """Return a text in its stored form; otherwise every sync would find it changed."""
    return mend_surrogates(value.strip())


def _texts(field: str, values: Iterable[str]) -> Sequence[str]:
    if isinstance(values, str):
        raise TypeError(f"{field} is one text instead of several")
    return [_text(value) for value in values]


def _tokens(count: int | None) -> int | None:
    """Return a number of tokens; None for unknown, which some providers report as 0."""
    if count is None:
        return None
    whole = int(count)
    return whole if 0 < whole <= _MOST else None


def _checked_price(price: Price) -> Price:
    _text(price.as_of)
    for amount in (price.input, price.output, price.cached or 0.0, price.cache_write or 0.0):
        if not 0 <= amount <= MOST_DOLLARS:
            raise ValueError(f"{amount} is no price")
    return price


GRACE_SECONDS = 2.0
"""Time for the clean-up of a cancelled call."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Fetched model list of a provider."""

    provider: str
    models: Sequence[NewModel]


async def pull_models(registry: ProviderRegistry, provider: str, seconds: float) -> ProviderReport | Listed:
    """Fetch a provider's model list; return a report with the reason if that fails.

    Args:
        registry: the provider registry.
        provider: the provider's id.
        seconds: timeout.
    """
    runner = HookRunner(seconds, GRACE_SECONDS)
    try:
        source = await registry.provider(provider)
        outcome = await runner.call(source.list_models)
        if isinstance(outcome, Raised) and (error := contract_error(outcome.error)):
            raise error
        return Listed(provider, checked_models(provider, value_of(outcome, "list_models")))
    except NotConfigured as error:
        return ProviderReport(provider, "not configured", sentence(error))
    except (TgllmError, Breach) as error:
        return ProviderReport(provider, "failed", sentence(error))
    finally:
        await runner.aclose()
