"""What a provider says of its models, checked and in the form in which it is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tgllm.api import ModelInfo, NotConfigured, Price, TgllmError
from tgllm.config.sections.prices import MOST_DOLLARS
from tgllm.db.tables.models import NewModel
from tgllm.plugins.calls.outcome import Breach, Raised, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.common.text import mend_surrogates, sentence
from tgllm.services.models.diff import ProviderReport
from tgllm.services.models.pricing import to_micros
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["Listed", "checked_models", "pull_models"]

_MOST = 2**62


def checked_models(provider: str, answer: object) -> Sequence[NewModel]:
    """The models of a provider's answer, each id once.

    Raises:
        Breach: the answer is not what the contract says; nothing of it can be trusted then.
    """
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise Breach(f"list_models returned a {type(answer).__name__} instead of a sequence of ModelInfo")
    found: dict[str, NewModel] = {}
    for info in answer:  # pyright: ignore[reportUnknownVariableType]  a plugin's, so each item is looked at
        if not isinstance(info, ModelInfo):
            raise Breach(f"list_models returned a {type(info).__name__} among the models")  # pyright: ignore[reportUnknownArgumentType]  the same
        model = _checked(provider, info)
        found.setdefault(model.model, model)
    return tuple(found.values())


def _checked(provider: str, info: ModelInfo) -> NewModel:
    if not isinstance(info.id, str) or not info.id.strip():  # pyright: ignore[reportUnnecessaryIsInstance]  a plugin's
        raise Breach(f"list_models returned a model with the id {info.id!r}")
    try:
        return _new_model(provider, info)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        name = mend_surrogates(info.id)
        raise Breach(f"list_models returned the model {name} with a field of the wrong type: {error}") from error


def _new_model(provider: str, info: ModelInfo) -> NewModel:
    # Half of a surrogate pair has no place in the database, and would be another id without it.
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
        price_as_of=(rates and _text(rates.as_of)) or None,
    )


def _text(value: str) -> str:
    """A text as it is read again, or each list would differ from what is stored of the one before."""
    return mend_surrogates(value.strip())


def _texts(field: str, values: Iterable[str]) -> Sequence[str]:
    if isinstance(values, str):
        raise TypeError(f"{field} is one text instead of several")
    return [_text(value) for value in values]


def _tokens(count: int | None) -> int | None:
    """A number of tokens; a provider that says 0 does not know it."""
    if count is None:
        return None
    whole = int(count)
    return whole if 0 < whole <= _MOST else None


def _checked_price(price: Price) -> Price:
    _text(price.as_of)
    for amount in (price.input, price.output, price.cached or 0.0):
        if not 0 <= amount <= MOST_DOLLARS:
            raise ValueError(f"{amount} is no price")
    return price


GRACE_SECONDS = 2.0
"""How long a call that was cancelled has for its clean-up."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a provider lists."""

    provider: str
    models: Sequence[NewModel]


async def pull_models(registry: ProviderRegistry, provider: str, seconds: float) -> ProviderReport | Listed:
    """The models that a provider lists, or why it lists none.

    Args:
        registry: where the provider is found.
        provider: its id.
        seconds: how long it has to answer.
    """
    runner = HookRunner(seconds, GRACE_SECONDS)
    try:
        source = await registry.provider(provider)
        outcome = await runner.call(source.list_models)
        if isinstance(outcome, Raised) and isinstance(outcome.error, TgllmError):
            raise outcome.error
        return Listed(provider, checked_models(provider, value_of(outcome, "list_models")))
    except NotConfigured as error:
        return ProviderReport(provider, "not configured", sentence(error))
    except (TgllmError, Breach) as error:
        return ProviderReport(provider, "failed", sentence(error))
    finally:
        await runner.aclose()
