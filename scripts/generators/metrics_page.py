"""Write ``docs/reference/metrics.md`` from the table of metrics."""

import sys
from pathlib import Path

from tgllm.observe.metrics.instruments import Counter, Gauge, Instrument
from tgllm.observe.metrics.table import ALL

TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md"
HEAD = """\
# Metrics

<!-- Generated from the table of metrics by `make generate`; do not edit by hand. -->

With `web.port` set, the bot answers on that port; see [Monitor the bot](../howto/monitor.md).

| path | answer |
| --- | --- |
| `/healthz` | 200 as long as the event loop runs and getUpdates does not hang beyond its time limits, from the \
start on, also while Telegram can't be reached or nothing can be stored: a restart would not help. Where the \
event loop was 2 seconds late or more in the last ten seconds, a second line says so |
| `/readyz` | 200 if the database can be written, the last getUpdates succeeded lately, the event loop is less \
than 2 seconds late, and no shutdown was requested; otherwise 503. Sends don't count as getUpdates. \
`loop_lag_seconds` is how late the event loop ran a call in the last ten seconds, at most. JSON: `{"ready": \
false, "checks": {"database": "ok", "telegram": "not reached for 93 s", "shutdown": "ok"}, "loop_lag_seconds": \
0.004}` |
| `/metrics` | with `web.metrics`: the metrics below, as Prometheus text or OpenMetrics |

GET and HEAD only; each connection carries one request and ends after 15 seconds. There is no password: the default
address, 127.0.0.1, is reached from this machine only. The metrics contain no ids and no names of people, and no texts,
but they do contain names of models and plugins, and costs.

"Lately" is the length of a long poll (`sending.poll_timeout`) and 45 seconds more. Answers are used again for a second,
so that many requests cost no more than one.

All counters begin at 0 when the bot starts. Durations are in seconds. Labels whose values come from outside, such as
the names of models, have a limited number of values; further ones are counted as `other`.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
"""
TAIL = """
Besides these there are metrics of the process: `tgllm_process_resident_memory_bytes`,
`tgllm_process_virtual_memory_bytes`, `tgllm_process_cpu_seconds_total`, `tgllm_process_open_fds`,
`tgllm_process_max_fds` and `tgllm_process_start_time_seconds` (on Linux).

Tokens and cost are those that the database counts as usage, with two exceptions: usage of calls that the end of an
earlier run interrupted is added to the database at the next start, but not to the metrics; and the metrics begin at 0.

## Buckets of the histograms

| metric | upper bounds in seconds |
| --- | --- |
"""


def text() -> str:
    """Return the content of the page."""
    rows = "\n".join(row(metric) for metric in ALL)
    bounds = "\n".join(
        f"| `{metric.name}` | {', '.join(f'{bound:g}' for bound in metric.bounds)} |"
        for metric in ALL
        if not isinstance(metric, Counter | Gauge)
    )
    return f"{HEAD}{rows}\n{TAIL}{bounds}\n"


def row(metric: Instrument) -> str:
    """Return the row of a metric."""
    labels = ", ".join(map(label, _labels(metric)))
    return f"| `{metric.name}` | {type(metric).__name__.lower()} | {labels} | {metric.about}. |"


def _labels(metric: Instrument) -> list[tuple[str, list[str]]]:
    return [(each.name, sorted(each.values)) for each in metric.labels]


def label(found: tuple[str, list[str]]) -> str:
    """Return a label with its values, if they are known."""
    name, values = found
    return f"`{name}`" + (f" ({', '.join(values)})" if values else "")


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") == 0)
