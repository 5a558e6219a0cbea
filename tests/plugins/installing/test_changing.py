"""A change that would replace tgllm is refused, whatever version it would bring."""

import json
from pathlib import Path

import pytest

from tgllm.plugins.installing.changing import Conflict, plan
from tgllm.plugins.installing.environment import Environment, Facts
from tgllm.plugins.installing.wanted import read_wanted

PIP = """#!/bin/sh
while [ "$1" != --report ]; do shift; done
cp "$0.json" "$2"
"""


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
async def test_another_tgllm(tmp_path: Path, version: str) -> None:
    python = tmp_path / "python"
    python.write_text(PIP, encoding="utf-8")
    python.chmod(0o700)
    report = {"install": [{"metadata": {"name": "Tgllm", "version": version}, "requested": True}]}
    (tmp_path / "python.json").write_text(json.dumps(report), encoding="utf-8")
    facts = Facts(tmp_path, python, is_virtual=True, has_pip=True, is_writable=True)

    with pytest.raises(Conflict, match=f"tgllm.* {version}"):
        await plan(
            Environment("pip", facts),
            "install",
            [read_wanted("git+https://example.org/tgllm")],
            {"tgllm": "1.1.0"},
            lambda _line: None,
        )
