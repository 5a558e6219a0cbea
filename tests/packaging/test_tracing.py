"""Traces arrive at an OTLP receiver over HTTP, from the installed package with its extra."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.packaging

CLIENT, PRODUCER, CONSUMER = 3, 4, 5


def test_a_turn_is_one_tree_of_spans(wheels: dict[str, Path], install: Callable[..., Any]) -> None:
    environment = install(f"{wheels['tgllm']}[tracing]")
    done = environment.run("python", Path(__file__).with_name("traced_bot.py"), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    spans = {each["id"]: each for each in found["spans"]}

    def line(each: dict[str, Any] | None) -> str:
        return "" if each is None else f"{line(spans.get(each['parent']))}/{each['name']}"

    lines = sorted(map(line, spans.values()))
    assert len({each["trace"] for each in spans.values()}) == 1
    assert [each for each in lines if "telegram" not in each] == [
        "/update",
        "/update/turn",
        "/update/turn/chat echo",
        "/update/turn/load context",
        "/update/turn/outbox send",
        "/update/turn/read files",
    ]
    assert "/update/turn/outbox send/telegram sendMessage" in lines
    kinds = {each["name"]: each["kind"] for each in spans.values()}
    assert (kinds["update"], kinds["chat echo"], kinds["outbox send"]) == (CONSUMER, CLIENT, PRODUCER)
    assert all(each["service.name"] == "tgllm" for each in found["resources"])
    assert found["leaks"] == []
    assert '"event": "tracing.ready"' in found["printed"]
    assert '"event": "bot.stopped"' in found["printed"].splitlines()[-1]
