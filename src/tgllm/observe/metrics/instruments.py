"""Counters, gauges and histograms of the standard library, which an exporter reads.

They do nothing until ``collecting`` turns them on. They may be changed from any thread. No name from outside can make
their number grow without end: a label takes the values of a fixed set, or the first ones up to a limit, and every
other value is counted as ``other``.
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from math import isfinite
from typing import ClassVar, Final, TypeAlias

__all__ = ["OTHER", "Counter", "Gauge", "Histogram", "Instrument", "Label", "Sample", "collecting"]

OTHER: Final = "other"
"""Value of a label in place of one that is not known."""
_MOST_VALUES: Final = 50
_MOST_CHARS: Final = 80
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a metric."""

    name: str
    values: frozenset[str] = frozenset()
    """The allowed values; empty: the first ``most`` ones."""
    most: int = _MOST_VALUES

    def clean(self, value: str, known: set[str]) -> str:
        """Return the value, or ``other``; ``known`` are the values so far, to which it is added."""
        if self.values:
            return value if value in self.values else OTHER
        if value in known:
            return value
        # Only what is short and printable: a name of a model may come from anywhere.
        if len(known) >= self.most or not 0 < len(value) <= _MOST_CHARS or _UNPRINTABLE.search(value):
            return OTHER
        known.add(value)
        return value


@dataclass(slots=True)
class Sample:
    """Values of a metric for one combination of labels."""

    labels: tuple[str, ...]
    value: float = 0.0
    """Of a histogram, the sum."""
    buckets: list[int] = field(default_factory=list[int])
    """Of a histogram, the number of values in each bucket, the last of which has no upper bound."""


class _State:
    """Whether metrics are collected; changes of all instruments are made under one lock."""

    is_on = False
    lock = threading.Lock()


class _Base:
    """Name, meaning, labels and values of a metric."""

    _begins_at_zero: ClassVar[bool] = True
    """Whether all combinations of known labels are there from the start."""

    def __init__(self, name: str, about: str, labels: Sequence[Label] = ()) -> None:
        """Register a metric.

        Args:
            name: as it is exported.
            about: one sentence without a full stop.
            labels: in the order in which their values are passed.
        """
        self.name = name
        self.about = about
        self.labels = tuple(labels)
        self._known: tuple[set[str], ...] = ()
        self._samples: dict[tuple[str, ...], Sample] = {}
        self.reset()

    def read(self) -> list[Sample]:
        """Return copies of all samples; a metric without labels always has one."""
        with _State.lock:
            return [Sample(each.labels, each.value, list(each.buckets)) for each in self._samples.values()]

    def reset(self) -> None:
        """Forget all values."""
        with _State.lock:
            self._known = tuple(set[str]() for _ in self.labels)
            self._samples.clear()
            # A series that appears with its first event hides it: Prometheus sees no increase.
            if not self.labels or (self._begins_at_zero and all(label.values for label in self.labels)):
                for values in product(*(sorted(label.values) for label in self.labels)):
                    self._sample(values)

    def _sample(self, labels: tuple[str, ...]) -> Sample:
        """Return the sample of these labels; called under the lock."""
        found = self._samples.get(labels)
        if found is not None:
            return found
        each = zip(self.labels, labels, self._known, strict=True)
        clean = tuple(label.clean(value, known) for label, value, known in each)
        return self._samples.setdefault(clean, Sample(clean, buckets=self._no_values()))

    def _no_values(self) -> list[int]:
        return []


class Counter(_Base):
    """Number that only grows."""

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count; an amount that is negative or not finite is ignored."""
        if _State.is_on and amount >= 0 and isfinite(amount):
            with _State.lock:
                self._sample(labels).value += amount


class Gauge(_Base):
    """Number that may grow and shrink."""

    _begins_at_zero = False

    def set(self, value: float, *labels: str) -> None:
        """Set the value; one that is not finite is ignored."""
        if _State.is_on and isfinite(value):
            with _State.lock:
                self._sample(labels).value = value

    def replace(self, values: Mapping[tuple[str, ...], float]) -> None:
        """Set the values of all combinations of labels; the others are removed."""
        if not _State.is_on:
            return
        self.reset()
        for labels, value in values.items():
            self.set(value, *labels)


class Histogram(_Base):
    """Distribution of durations."""

    def __init__(self, name: str, about: str, labels: Sequence[Label] = (), *, buckets: Sequence[float]) -> None:
        """Register a histogram with these upper bounds of its buckets, in seconds, smallest first."""
        self.bounds = tuple(buckets)
        super().__init__(name, about, labels)

    def observe(self, seconds: float, *labels: str) -> None:
        """Add a duration; one that is negative or not finite is ignored."""
        if _State.is_on and seconds >= 0 and isfinite(seconds):
            with _State.lock:
                sample = self._sample(labels)
                sample.value += seconds
                sample.buckets[bisect_left(self.bounds, seconds)] += 1

    def _no_values(self) -> list[int]:
        return [0] * (len(self.bounds) + 1)


Instrument: TypeAlias = Counter | Gauge | Histogram


@contextmanager
def collecting(instruments: Iterable[Instrument]) -> Generator[None]:
    """Collect metrics inside the block, from zero."""
    for instrument in instruments:
        instrument.reset()
    _State.is_on = True
    try:
        yield
    finally:
        _State.is_on = False
