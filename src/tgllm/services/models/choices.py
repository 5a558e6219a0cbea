"""Models that a chat can choose from, and their lookup by text or button key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tgllm.api import ModelNotFound, ModelRef
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, models
from tgllm.db.tables.models import Model
from tgllm.services.chats.settings import persona_in, settings_of
from tgllm.services.models.in_use import ModelInUse, model_in_use
from tgllm.services.models.registry import ProviderRegistry, ProviderStatus

__all__ = ["ModelChoices", "choice_key", "choose_model", "load_choices", "pick"]

_KEY_DIGITS = 16
"""Hex digits of a key: 64 bits make collisions negligible, and fit into callback data."""


@cache
def choice_key(name: str) -> str:
    """Return a short key for the name of a model or provider, for callback data, which is limited to 64 bytes."""
    return hashlib.sha256(name.encode()).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class ModelChoices:
    """Snapshot of the models that a chat can choose from."""

    providers: Sequence[ProviderStatus]
    """All providers, sorted by id."""
    models: Sequence[Model]
    """Models of the providers that are ready, sorted by provider and model."""
    in_use: ModelInUse
    default: ModelRef
    """The model that answers without a choice."""
    chosen: ModelRef | None
    """The model chosen in the chat."""

    @property
    def ready(self) -> Sequence[ProviderStatus]:
        """Providers that are ready and have models."""
        listed = {model.provider for model in self.models}
        return [provider for provider in self.providers if provider.state == "ready" and provider.id in listed]

    def of_provider(self, provider: str) -> Sequence[Model]:
        """Return the models of a provider."""
        return [model for model in self.models if model.provider == provider]

    def provider_by_key(self, key: str) -> ProviderStatus | None:
        """Return the ready provider whose id has a ``choice_key``."""
        return next((provider for provider in self.ready if choice_key(provider.id) == key), None)

    def model_by_key(self, key: str) -> Model | None:
        """Return the model whose reference has a ``choice_key``."""
        return next((model for model in self.models if choice_key(str(model.ref)) == key), None)

    def model(self, ref: ModelRef) -> Model | None:
        """Return the model of an id or alias; ids take precedence."""
        same = [model for model in self.models if model.provider == ref.provider]
        by_id = next((model for model in same if model.model == ref.model), None)
        return by_id or next((model for model in same if ref.model in model.aliases), None)

    def is_ready(self, provider: str) -> bool:
        """Whether a provider is ready, with or without models in its list."""
        return any(status.id == provider and status.state == "ready" for status in self.providers)

    def named(self, text: str) -> Model | None:
        """Return the model of an id or alias without its provider; None if it is ambiguous."""
        found = [model for model in self.models if text in (model.model, *model.aliases)]
        return found[0] if len(found) == 1 else None

    def search(self, text: str) -> Sequence[Model]:
        """Return the models whose reference, title or aliases contain all words of a text, ignoring case."""
        words = text.casefold().split()
        return [model for model in self.models if all(word in _searched(model) for word in words)]


def _searched(model: Model) -> str:
    return " ".join((str(model.ref), model.title, *model.aliases)).casefold()


async def load_choices(database: Database, registry: ProviderRegistry, config: Config, lane: str) -> ModelChoices:
    """Read what can be chosen in the chat of a lane.

    Raises:
        DatabaseError: the lists can't be read.
    """
    statuses = await registry.statuses()
    ready = {status.id for status in statuses if status.state == "ready"}
    configured = ModelRef.parse(config.default_model)

    def unit(conn: Connection) -> ModelChoices:
        conversation = conversations.active_in(conn, lane)
        persona = persona_in(settings_of(conversation), config.personas)
        usable = [model for model in models.list_all(conn) if model.provider in ready]
        return ModelChoices(
            statuses,
            usable,
            model_in_use(conn, conversation, configured, registry.canonical, persona),
            model_in_use(conn, None, configured, registry.canonical, persona).ref,
            conversation.chosen if conversation is not None else None,
        )

    return await database.read(unit)


def choose_model(clock: Clock, lane: str, ref: ModelRef | None) -> Unit:
    """Return the unit of work that sets the model of a lane; None: the default."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        conversations.set_model(conn, conversations.active_for(conn, lane, now).id, ref, now)

    return unit


def pick(registry: ProviderRegistry, choices: ModelChoices, text: str) -> ModelRef | None:
    """Return the model that a text names exactly, by reference, id or alias; None if it can't be chosen.

    Any model of a ready provider without a model list can be chosen. Of a provider with a list, only listed models:
    an unlisted name has no price, so its cost would not count against budgets.
    """
    ref = _parsed(registry, text)
    listed = (None if ref is None else choices.model(ref)) or choices.named(text)
    if listed is not None:
        return listed.ref
    if ref is None or not choices.is_ready(ref.provider) or choices.of_provider(ref.provider):
        return None
    return ref


def _parsed(registry: ProviderRegistry, text: str) -> ModelRef | None:
    """Parse a model reference; None if it is malformed or its provider is unknown."""
    try:
        return registry.resolve(text)
    except ModelNotFound:
        return None
