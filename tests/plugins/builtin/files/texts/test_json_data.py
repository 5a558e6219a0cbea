"""JSON, JSON lines and notebooks."""

import json

import pytest

from handler_support import read
from tgllm.plugins.builtin.files.texts import json_data


def test_small_json_is_indented() -> None:
    assert read(json_data, '{"a":["é",{"b":1}]}').text == (
        '```json\n{\n  "a": [\n    "é",\n    {\n      "b": 1\n    }\n  ]\n}\n```'
    )


@pytest.mark.parametrize(
    "content", ["{bad}", '{"a": 1}\n{"a": 2}', "// comment\n{}", "[" * 90_000, '{"n":' + "1" * 5000 + "}", "NaN, x"]
)
def test_what_is_no_json_is_shown_as_it_is(content: str) -> None:
    assert read(json_data, content).text == f"```json\n{content}\n```"


def test_long_json_is_cut_at_a_line() -> None:
    found = read(json_data, json.dumps([{"number": n, "name": "x" * 30} for n in range(1000)]), max_chars=1000)

    assert found.truncated
    assert found.text.endswith("\n```")
    assert (
        found.text.split("\n")[-2].strip() in {"{", "},", '"name": "' + "x" * 30 + '"'}
        or '"number"' in found.text.split("\n")[-2]
    )


def test_huge_json_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_data.json, "loads", lambda _: pytest.fail("parsed"))

    assert read(json_data, '{"k":"' + "v" * 3_000_000 + '"}', max_chars=500).truncated


def test_data_in_it_is_shortened() -> None:
    assert "AAAA" not in read(json_data, '{"image": "data:image/png;base64,' + "A" * 1000 + '"}').text


def test_fences_in_it_are_safe() -> None:
    assert read(json_data, '{"a": "```"}').text.startswith("````json\n")


def test_a_notebook_is_shown_as_its_cells() -> None:
    notebook = {
        "nbformat": 4,
        "cells": [
            {"cell_type": "markdown", "source": ["# Title\n", "words"]},
            {"cell_type": "code", "source": "print(1)", "outputs": [
                {"text": ["1\n"]},
                {"data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
                {"evalue": "division by zero"},
            ]},
            {"cell_type": "code", "source": []},
            "broken",
        ],
    }  # fmt: skip

    assert read(json_data, json.dumps(notebook)).text == (
        "# Title\nwords\n\n```python\nprint(1)\n```\n\n```output\n1\n```\n\n```output\n<Figure>\n```\n\n"
        "```output\ndivision by zero\n```"
    )
