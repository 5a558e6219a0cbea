"""Export of the metrics in the formats of Prometheus."""

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tgllm.observe.metrics.instruments import Counter, Gauge, Instrument
from tgllm.web.answers import Answer

__all__ = ["Exporter"]


class Exporter:
    """Encoder of metrics, with those of the process (memory, file descriptors, CPU, start time)."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        """Export these metrics, from a registry of their own."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Instruments(instruments))
        ProcessCollector(namespace="tgllm", registry=self._registry)

    def encode(self, *, openmetrics: bool) -> Answer:
        """Return all metrics in the format OpenMetrics, or in Prometheus' own text format."""
        encoder, content_type = choose_encoder("application/openmetrics-text; version=1.0.0" if openmetrics else "")
        return Answer(encoder(self._registry), content_type=content_type)


class _Instruments(Collector):
    """Adapter of metrics to prometheus_client."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._instruments = tuple(instruments)

    def collect(self) -> Iterable[Metric]:
        """Return the present values of all metrics."""
        return [_family(instrument) for instrument in self._instruments]


def _family(instrument: Instrument) -> Metric:
    names = [label.name for label in instrument.labels]
    if isinstance(instrument, Counter):
        counter = CounterMetricFamily(instrument.name, instrument.about, labels=names)
        for sample in instrument.read():
            counter.add_metric(sample.labels, sample.value)
        return counter
    if isinstance(instrument, Gauge):
        gauge = GaugeMetricFamily(instrument.name, instrument.about, labels=names)
        for sample in instrument.read():
            gauge.add_metric(sample.labels, sample.value)
        return gauge
    histogram = HistogramMetricFamily(instrument.name, instrument.about, labels=names)
    bounds = [*(str(float(bound)) for bound in instrument.bounds), "+Inf"]
    for sample in instrument.read():
        counts = zip(bounds, map(float, accumulate(sample.buckets)), strict=True)
        histogram.add_metric(sample.labels, list(counts), sample.value)
    return histogram
