"""Whether the default model can answer, for the start of the bot and for shell commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tgllm.api.errors import ModelNotFound, TgllmError
from tgllm.api.model_ref import ModelRef
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.i18n import Catalogue
from tgllm.services.models.in_use import default_model, known_model
from tgllm.services.models.registry import ProviderRegistry, ProviderStatus

__all__ = ["ECHO", "Readiness", "effective_default", "look_at_fallbacks", "look_at_models", "unlisted"]

ECHO = "echo"
"""Id of the built-in provider, which repeats the question."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the default model can answer, and whether it is more than the echo provider."""

    model: str
    """Reference of the default model."""
    problem: str = ""
    """Reason why it can't answer; empty if it can."""
    is_echo: bool = False
    others: tuple[str, ...] = ()
    """Titles of the providers that can answer in place of the echo provider."""
    variables: tuple[str, ...] = ()
    """Environment variables of missing keys."""
    reasons: tuple[str, ...] = ()
    """Reasons why providers that have a key can't start."""

    @classmethod
    def of_statuses(cls, model: str, statuses: Iterable[ProviderStatus]) -> "Readiness":
        """Return the readiness of a bot whose default model is the echo provider's."""
        found = [status for status in statuses if status.id != ECHO]
        return cls(
            model,
            is_echo=True,
            others=tuple(status.title for status in found if status.state == "ready"),
            variables=tuple(status.variable for status in found if status.variable),
            reasons=tuple(dict.fromkeys(status.reason for status in found if _has_failed(status))),
        )

    def sentences(self, texts: Catalogue) -> Sequence[str]:
        """Return what to tell the operator, one line for each point; empty if all is well."""
        if self.problem:
            return (texts("shell.default_model_unknown", model=self.model, reason=self.problem),)
        if not self.is_echo:
            return ()
        if self.others:
            return (texts("shell.echo_chosen", model=self.model, providers=", ".join(self.others)),)
        if self.reasons:
            return (texts("shell.only_echo_failed", reason="; ".join(self.reasons)),)
        if self.variables:
            return (texts("shell.only_echo_keys", variables=", ".join(self.variables)),)
        return (texts("shell.only_echo"),)


def _has_failed(status: ProviderStatus) -> bool:
    return status.state == "broken" or status.wrong_setting


async def effective_default(registry: ProviderRegistry, database: Database, configured: str) -> ModelRef:
    """Return the default model that an admin has chosen, or else the one of the config.

    Raises:
        ModelNotFound: its provider is unknown.
    """
    parsed = ModelRef.parse(configured)
    chosen = await database.read(_default(parsed, registry.canonical))
    return registry.resolve(str(chosen))


async def look_at_models(registry: ProviderRegistry, database: Database, configured: str) -> Readiness:
    """Return whether the default model can answer, by its provider's settings and by the stored list of its models."""
    try:
        ref = await effective_default(registry, database, configured)
    except ModelNotFound as error:
        return Readiness(configured, str(error))
    try:
        await registry.provider(ref.provider)
    except TgllmError as error:
        return Readiness(str(ref), str(error))
    if problem := await database.read(lambda conn: unlisted(conn, ref)):
        return Readiness(str(ref), problem)
    if ref.provider != ECHO:
        return Readiness(str(ref))
    return Readiness.of_statuses(str(ref), await registry.statuses())


async def look_at_fallbacks(registry: ProviderRegistry, database: Database, config: Config) -> Mapping[str, str]:
    """Return why fallbacks of the settings can't answer, by model; empty if all can."""
    problems: dict[str, str] = {}
    for name in _all_fallbacks(config):
        try:
            ref = registry.resolve(name)
            await registry.provider(ref.provider)
        except TgllmError as error:
            problems[name] = str(error)
            continue
        if problem := await database.read(lambda conn, ref=ref: unlisted(conn, ref)):
            problems[name] = problem
    return problems


def _all_fallbacks(config: Config) -> Iterable[str]:
    """Return the fallbacks of the bot, of roles and of personas, each once."""
    of_roles = [each.fallbacks or () for each in config.roles]
    of_personas = [each.fallbacks or () for each in config.personas]
    return dict.fromkeys(name for names in (config.fallbacks, *of_roles, *of_personas) for name in names)


def unlisted(conn: Connection, ref: ModelRef) -> str:
    """Return why a model is not in the stored list of its provider; empty if it is, or if there is no list yet."""
    if not models.list_all(conn, ref.provider, retired=True):
        return ""
    try:
        known_model(conn, ref)
    except ModelNotFound as error:
        return str(error)
    return ""


def _default(configured: ModelRef, canonical: Callable[[ModelRef], ModelRef]) -> Callable[[Connection], ModelRef]:
    return lambda conn: default_model(conn, configured, canonical)
