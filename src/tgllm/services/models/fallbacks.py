"""Models that are asked in place of one that does not answer, and the order in which they are asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tgllm.api import ModelRef
from tgllm.api.clock import Clock
from tgllm.api.people import Role
from tgllm.config.model import Config
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models

__all__ = ["Fallbacks", "ModelHealth", "offered"]

LAST_SECONDS: Final = 60.0
"""Seconds for which a model that did not answer is asked last."""
MOST_LAST_SECONDS: Final = 600.0
"""The same if the service asks for a longer wait."""


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """The fallbacks of the settings, as ``provider/model``."""

    bot: Sequence[str] = ()
    roles: Mapping[Role, Sequence[str]] = field(default_factory=dict[Role, Sequence[str]])
    """Fallbacks of the roles that have their own."""

    @classmethod
    def of_config(cls, config: Config) -> "Fallbacks":
        """Return the fallbacks of the settings."""
        own: dict[Role, Sequence[str]] = {
            each.role: each.fallbacks for each in config.roles if each.fallbacks is not None
        }
        return cls(config.fallbacks, own)

    def of(self, role: Role | None, persona: PersonaSetting | None = None) -> Sequence[ModelRef]:
        """Return the fallbacks of a persona, else of a role, else of the bot."""
        own = self.bot if role is None else self.roles.get(role, self.bot)
        if persona is not None and persona.fallbacks is not None:
            own = persona.fallbacks
        return [ModelRef.parse(text) for text in own]


def offered(
    conn: Connection, refs: Iterable[ModelRef], canonical: Callable[[ModelRef], ModelRef], *, without: ModelRef
) -> Sequence[ModelRef]:
    """Return the models that are not known to be retired, each once.

    Args:
        conn: an open transaction.
        refs: the models, which may be named by an alias.
        canonical: resolves aliases of providers.
        without: a model that is left out.
    """
    found: dict[ModelRef, None] = {}
    for ref in refs:
        known = models.find(conn, canonical(ref))
        if known is None or known.retired_at is None:
            found[canonical(ref) if known is None else known.ref] = None
    own = models.find(conn, without) if found else None
    return [ref for ref in found if ref not in {without, without if own is None else own.ref}]


class ModelHealth:
    """Memory of the models that did not answer a moment ago, so that not every question waits for them.

    It is lost at the end of the process: the next question then finds out again.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin without failures."""
        self._clock = clock
        self._last_until: dict[ModelRef, float] = {}

    def note_failed(self, ref: ModelRef, wait: float | None = None) -> None:
        """Record that a model did not answer.

        Args:
            ref: the model.
            wait: seconds that its service asks to wait, if it does.
        """
        seconds = min(max(LAST_SECONDS, wait or 0.0), MOST_LAST_SECONDS)
        self._last_until[ref] = self._clock.monotonic() + seconds

    def note_answered(self, ref: ModelRef) -> None:
        """Record that a model has answered."""
        self._last_until.pop(ref, None)

    def order(self, refs: Iterable[ModelRef], failed: Iterable[ModelRef] = ()) -> Sequence[ModelRef]:
        """Return models in the order in which to ask them: those that did not answer come last.

        Args:
            refs: the models, the preferred one first.
            failed: models that did not answer an earlier attempt at the same question.
        """
        now = self._clock.monotonic()
        self._last_until = {ref: until for ref, until in self._last_until.items() if until > now}
        last = {*self._last_until, *failed}
        return sorted(refs, key=lambda ref: ref in last)
