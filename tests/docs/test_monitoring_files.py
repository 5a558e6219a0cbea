"""Dashboard, alerts and the page about metrics name metrics and labels that exist, and the page names all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import metrics_page
from docs_support import read_page
from tgllm.observe.metrics.instruments import Counter, Gauge, Histogram
from tgllm.observe.metrics.table import ALL

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/tgllm.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))

PROCESS = {
    "tgllm_process_resident_memory_bytes",
    "tgllm_process_cpu_seconds_total",
    "tgllm_process_open_fds",
    "tgllm_process_max_fds",
    "tgllm_process_start_time_seconds",
}
OF_PROMETHEUS = {"job", "instance"}
KNOWN = {metric.name: {label.name: label.values for label in metric.labels} for metric in ALL} | {
    name: dict[str, frozenset[str]]() for name in (*PROCESS, "up")
}
HISTOGRAMS = {metric.name for metric in ALL if isinstance(metric, Histogram)}
SERIES = {
    **{name: labels for name, labels in KNOWN.items() if name not in HISTOGRAMS},
    **{
        f"{metric.name}_{suffix}": KNOWN[metric.name] | ({"le": frozenset()} if suffix == "bucket" else {})
        for metric in ALL
        if isinstance(metric, Histogram)
        for suffix in ("bucket", "sum", "count")
    },
}
WORDS = {
    "by", "and", "or", "unless", "offset", "bool", "on", "ignoring", "group_left", "without", "vector", "time", "le",
    "sum", "rate", "increase", "histogram_quantile", "max", "min", "count", "changes", "avg", "label_values",
}  # fmt: skip


def panels() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions() -> list[str]:
    """All queries of the dashboard and of the alerts."""
    of_panels = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    of_lists = [entry["expr"] for entry in DASHBOARD["annotations"]["list"] if "expr" in entry]
    variables = [each["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
    alerts = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    return [*of_panels, *of_lists, *variables, *alerts]


def problems(expression: str) -> list[str]:
    """What in a query does not exist."""
    found: list[str] = []
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"\[[^\]]*\]", "", expression))
    used = set(re.findall(r"\b[a-zA-Z_][a-zA-Z0-9_:]*\b", re.sub(r"\{[^}]*\}|\(\s*\w+(\s*,\s*\w+)*\s*\)", " ", bare)))
    names = {name for name in re.findall(r"\b[a-zA-Z_]\w*\b", bare) if name in SERIES or name.startswith("tgllm_")}
    found += [f"no metric {name}" for name in (used | names) - SERIES.keys() - WORDS if not name.isdigit()]
    for name, matchers in re.findall(r"\b(\w+)\{([^}]*)\}", expression):
        for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers):
            allowed = SERIES.get(name, {})
            if label not in allowed.keys() | OF_PROMETHEUS:
                found.append(f"{name} has no label {label}")
            values = set(value.split("|")) if "~" in operator else {value}
            if allowed.get(label) and not values <= allowed[label]:
                found.append(f"{label} of {name} is never {value}")
    every = set[str]().union(*(SERIES[name].keys() for name in names if name in SERIES)) | OF_PROMETHEUS
    for labels in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        found += [f"no label {each}" for each in re.split(r"\s*,\s*", labels.strip()) if each not in every]
    return found


@pytest.mark.parametrize("expression", expressions())
def test_queries_name_what_exists(expression: str) -> None:
    assert problems(expression) == []
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize(
    "expression",
    [
        "tgllm_nothing_total",
        "sum by (chat) (rate(tgllm_turns_total[5m]))",
        'rate(tgllm_turns_total{outcome="cancelled"}[5m])',
        'rate(tgllm_turns_total{model="x"}[5m])',
        "rate(tgllm_turn_duration_seconds[5m])",
        "tgllm_turns_total_bucket",
        "histogram_quantile(0.9, sum by (le) (rate(tgllm_turns_total[5m])))",
        "sume(tgllm_turns_total)",
    ],
)
def test_a_query_that_names_something_else_is_found(expression: str) -> None:
    assert problems(expression)


def test_every_metric_is_on_the_dashboard() -> None:
    text = " ".join(expressions())

    assert [metric.name for metric in ALL if metric.name not in text] == []


def test_legends_use_labels_of_their_query() -> None:
    for panel in panels():
        for target in panel.get("targets", []):
            names = set(re.findall(r"\btgllm_\w+", target["expr"]))
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert labels <= set[str]().union(*(SERIES[name].keys() for name in names)), target


def test_panels_have_ids_titles_and_places_of_their_own() -> None:
    ids = [panel["id"] for panel in panels()]
    cells = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(set(ids)) == len(ids) > 25
    assert len(set(cells)) == len(cells)
    assert all(panel["title"] for panel in panels())


def test_the_dashboard_works_with_any_data_source() -> None:
    sources = [panel["datasource"]["uid"] for panel in panels() if panel["type"] != "row"]

    assert set(sources) == {"${datasource}"}
    assert "http" not in json.dumps(DASHBOARD)


def test_alerts_say_what_to_do() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]

    assert len({rule["alert"] for rule in rules}) == len(rules) >= 8
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "action"}


def test_the_page_about_metrics_is_up_to_date() -> None:
    assert read_page("reference/metrics.md") == metrics_page.text()


def test_a_table_has_no_pipe_inside() -> None:
    for metric in ALL:
        assert "|" not in metric.about
        assert isinstance(metric, Counter | Gauge | Histogram)
