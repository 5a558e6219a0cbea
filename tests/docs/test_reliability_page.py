"""Behind each promise of the page about reliability stands a test that exists."""

import re
from pathlib import Path

import pytest

from docs_support import read_page

ROOT = Path(__file__).resolve().parents[2]
PAGE = read_page("explanation/reliability.md")
PROMISES = PAGE.partition("## The promises")[2].partition("\n## ")[0]
ROWS = [line.split(" | ") for line in PROMISES.splitlines() if line.startswith("| ")][2:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_there_are_promises() -> None:
    assert len(ROWS) >= 9


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip("| ") for row in ROWS])
def test_each_promise_names_a_test(row: list[str]) -> None:
    assert NAMED.search(row[-1]), f"no test is named for: {row[0]}"


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(PAGE))))
def test_each_named_test_exists(path: str, name: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(async )?def {name}\(", source, re.MULTILINE), f"{path} has no {name}"


@pytest.mark.parametrize("command", sorted(set(re.findall(r"python -m (benchmarks\.\w+)", PAGE))))
def test_each_named_command_exists(command: str) -> None:
    path = ROOT / command.replace(".", "/")
    assert (path / "__main__.py").exists() or path.with_suffix(".py").exists()
