"""Difference between the stored and the fetched model list of a provider."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from tgllm.api import Json, ModelRef
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.db.tables.models import Model, NewModel

__all__ = ["FieldChange", "ModelChange", "ModelDiff", "ProviderReport", "SyncReport", "SyncState", "store_models"]

SyncState = Literal["ok", "not configured", "failed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A changed field of a model."""

    name: str
    """Name of the field of ``tgllm.db.tables.models.Model``."""
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A model that is still listed and has changed fields."""

    ref: ModelRef
    fields: Sequence[FieldChange]


@dataclass(frozen=True, slots=True)
class ModelDiff:
    """Changes of a provider's model list."""

    new: Sequence[ModelRef] = ()
    """Models listed for the first time, or again after they were retired."""
    changed: Sequence[ModelChange] = ()
    retired: Sequence[ModelRef] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.retired)


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """Result of the sync for one provider."""

    provider: str
    state: SyncState
    reason: str = ""
    """Why no list was fetched; the stored one is kept then."""
    listed: int = 0
    """Number of models in the fetched list."""
    diff: ModelDiff = ModelDiff()
    first: bool = False
    """Whether no models of this provider were stored before."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Result of a sync."""

    providers: Sequence[ProviderReport]
    """Sorted by provider id."""
    lost_default: ModelRef | None = None
    """The default model, if this sync has retired it."""

    @property
    def failed(self) -> Sequence[ProviderReport]:
        """Providers whose list could not be fetched, or was invalid."""
        return [report for report in self.providers if report.state == "failed"]

    @property
    def is_news(self) -> bool:
        """Whether the list of a provider that was known before has changed."""
        return any(report.diff and not report.first for report in self.providers)


def store_models(conn: Connection, provider: str, listed: Sequence[NewModel], now: int) -> ProviderReport:
    """Store a provider's model list. An empty list replaces no other: it is more likely a failure of the provider.

    Args:
        conn: an open write transaction.
        provider: the provider's id.
        listed: the fetched list.
        now: UTC, in milliseconds.
    """
    known = {model.model: model for model in models.list_all(conn, provider, retired=True)}
    present = {name: model for name, model in known.items() if model.retired_at is None}
    if present and not listed:
        return ProviderReport(provider, "failed", "it lists no models at all; the old list is kept")
    models.upsert(conn, listed, now)
    retired = models.retire_missing(conn, provider, [new.model for new in listed], now)
    diff = ModelDiff(_new(listed, present), tuple(_changed(listed, present)), tuple(retired))
    return ProviderReport(provider, "ok", listed=len(listed), diff=diff, first=not known)


def _new(listed: Sequence[NewModel], present: Collection[str]) -> Sequence[ModelRef]:
    return tuple(sorted((_ref(new) for new in listed if new.model not in present), key=str))


def _changed(listed: Sequence[NewModel], present: Mapping[str, Model]) -> Sequence[ModelChange]:
    pairs = ((new, present[new.model]) for new in listed if new.model in present)
    found = (ModelChange(_ref(new), _differences(new, old)) for new, old in pairs)
    return sorted((change for change in found if change.fields), key=lambda change: str(change.ref))


def _differences(new: NewModel, old: Model) -> Sequence[FieldChange]:
    pairs = ((field.name, getattr(old, field.name), getattr(new, field.name)) for field in fields(NewModel))
    return tuple(FieldChange(name, before, after) for name, before, after in pairs if before != after)


def _ref(new: NewModel) -> ModelRef:
    return ModelRef(new.provider, new.model)
