"""What is different between the stored list of a provider's models and a fresh one."""

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
    """One thing that is different about a model."""

    name: str
    """The field of ``tgllm.db.tables.models.Model``."""
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A model that is listed as before and is not the same."""

    ref: ModelRef
    fields: Sequence[FieldChange]


@dataclass(frozen=True, slots=True)
class ModelDiff:
    """How a provider's list has changed."""

    new: Sequence[ModelRef] = ()
    """Listed for the first time, or again after it was retired."""
    changed: Sequence[ModelChange] = ()
    retired: Sequence[ModelRef] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.retired)


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """How it went with one provider."""

    provider: str
    state: SyncState
    reason: str = ""
    """Why there is no list; its old one is kept then."""
    listed: int = 0
    diff: ModelDiff = ModelDiff()
    first: bool = False
    """Whether nothing of this provider was known before."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How it went with all providers, sorted by their ids."""

    providers: Sequence[ProviderReport]
    lost_default: ModelRef | None = None
    """The model that answered by default and was retired now."""

    @property
    def failed(self) -> Sequence[ProviderReport]:
        """The providers that could not be asked, or gave no usable answer."""
        return [report for report in self.providers if report.state == "failed"]

    @property
    def is_news(self) -> bool:
        """Whether something that was known before is different now."""
        return any(report.diff and not report.first for report in self.providers)


def store_models(conn: Connection, provider: str, listed: Sequence[NewModel], now: int) -> ProviderReport:
    """Store a provider's list, unless it is empty and its old one is not: a list is never wiped by a failure.

    Args:
        conn: in a transaction.
        provider: the provider's id.
        listed: what it lists now.
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
