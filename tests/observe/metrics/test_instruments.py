"""Metrics count what is passed to them, from any thread, and no name from outside makes them grow without end."""

import math
import re
import threading
from collections.abc import Iterator

import pytest

from tgllm.observe.metrics.instruments import OTHER, Counter, Gauge, Histogram, Label, collecting
from tgllm.observe.metrics.table import ALL


@pytest.fixture(autouse=True)
def on() -> Iterator[None]:
    with collecting([]):
        yield


def values(metric: Counter | Gauge | Histogram) -> dict[tuple[str, ...], float]:
    return {sample.labels: sample.value for sample in metric.read()}


def test_a_counter_counts_by_labels() -> None:
    counter = Counter("n", "", [Label("a"), Label("b")])
    counter.add("x", "y")
    counter.add("x", "y", amount=2.5)
    counter.add("x", "z")

    assert values(counter) == {("x", "y"): 3.5, ("x", "z"): 1}


def test_a_metric_without_labels_is_there_before_anything_is_counted() -> None:
    assert values(Counter("n", "")) == {(): 0}


def test_an_unknown_value_of_a_fixed_label_is_other() -> None:
    counter = Counter("n", "", [Label("state", frozenset({"ok"}))])
    counter.add("ok")
    counter.add("ok\n")
    counter.add("strange")

    assert values(counter) == {("ok",): 1, (OTHER,): 2}


def test_hostile_names_do_not_make_a_metric_grow() -> None:
    counter = Counter("n", "", [Label("provider", most=3), Label("model", most=5)])
    for number in range(10_000):
        counter.add(f"p{number}", f"model-{number}")

    assert len(values(counter)) <= 4 * 6
    assert sum(values(counter).values()) == 10_000


@pytest.mark.parametrize("name", ["", "x" * 81, "a\nb", "\x00", "\ud800", "\u202eabc", "модель"])
def test_a_name_that_is_no_plain_text_is_other(name: str) -> None:
    counter = Counter("n", "", [Label("model")])
    counter.add(name)

    assert values(counter) == {(OTHER,): 1}


@pytest.mark.parametrize("amount", [math.nan, math.inf, -math.inf, -1])
def test_an_amount_that_is_no_amount_is_ignored(amount: float) -> None:
    counter, gauge, histogram = Counter("n", ""), Gauge("g", ""), Histogram("h", "", buckets=[1])
    counter.add(amount=amount)
    histogram.observe(amount)
    if not math.isfinite(amount):
        gauge.set(amount)

    assert values(counter) == values(gauge) == values(histogram) == {(): 0}


def test_a_histogram_puts_a_bound_into_its_own_bucket() -> None:
    histogram = Histogram("h", "", buckets=[1, 2])
    for seconds in (0, 1, 1.5, 2, 2.1):
        histogram.observe(seconds)

    (sample,) = histogram.read()
    assert sample.buckets == [2, 2, 1]
    assert sample.value == pytest.approx(6.6)


def test_replaced_values_are_all_there_are() -> None:
    gauge = Gauge("g", "", [Label("plugin")])
    gauge.replace({("a",): 1, ("b",): 0})
    gauge.replace({("b",): 1})

    assert values(gauge) == {("b",): 1}


def test_nothing_is_counted_while_metrics_are_off() -> None:
    counter = Counter("n", "")
    counter.add()
    with collecting([counter]):
        counter.add()
    counter.add()

    assert values(counter) == {(): 1}


def test_threads_lose_no_count() -> None:
    counter = Counter("n", "", [Label("a")])
    threads = [threading.Thread(target=lambda: [counter.add("x") for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert values(counter) == {("x",): 8000}


def test_series_with_known_labels_begin_at_zero_so_that_the_first_event_is_an_increase() -> None:
    counter = Counter("n", "", [Label("a", frozenset({"x", "y"})), Label("b", frozenset({"z"}))])
    histogram = Histogram("h", "", [Label("a", frozenset({"x"}))], buckets=[1])
    open_ended = Counter("n", "", [Label("a", frozenset({"x"})), Label("model")])

    assert values(counter) == {("x", "z"): 0, ("y", "z"): 0}
    assert values(histogram) == {("x",): 0}
    assert values(open_ended) == values(Gauge("g", "", [Label("a", frozenset({"x"}))])) == {}


class TestTheTable:
    def test_names_follow_the_conventions(self) -> None:
        for metric in ALL:
            assert re.fullmatch(r"tgllm_[a-z][a-z_]*[a-z]", metric.name), metric.name
            assert metric.name.endswith("_total") == isinstance(metric, Counter), metric.name
            assert metric.name.endswith("_seconds") or not isinstance(metric, Histogram), metric.name
            assert metric.about[0].isupper() or metric.about[0] == "1", metric.name
            assert not metric.about.endswith("."), metric.name

    def test_each_has_a_name_of_its_own(self) -> None:
        assert len({metric.name for metric in ALL}) == len(ALL) > 25

    def test_no_label_holds_an_id_or_a_name_of_a_person(self) -> None:
        labels = {label.name for metric in ALL for label in metric.labels}
        assert labels <= {
            "kind", "outcome", "state", "provider", "model", "code", "direction", "method", "operation", "name",
            "level", "version", "python", "plugin", "cause", "tool", "replica",
        }  # fmt: skip

    def test_no_label_is_one_that_prometheus_sets_itself(self) -> None:
        # It renames ours then: job becomes exported_job, and queries find the label of the target.
        for metric in ALL:
            for label in metric.labels:
                assert label.name not in {"job", "instance", "le", "quantile"}, metric.name
                assert not label.name.startswith(("exported_", "__")), metric.name

    def test_bounds_grow(self) -> None:
        for metric in ALL:
            if isinstance(metric, Histogram):
                assert list(metric.bounds) == sorted(set(metric.bounds))
