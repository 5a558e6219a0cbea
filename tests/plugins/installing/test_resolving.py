"""Messages about conflicts: which package needs what."""

import json
from pathlib import Path

import pytest

from tgllm.plugins.installing.resolving import conflict_in_words, read_report, read_uv

PIP = """
ERROR: Cannot install tgllm-old==1.0 and tgllm==1.0.0 because these package versions have conflicting dependencies.

The conflict is caused by:
    tgllm 1.0.0 depends on pydantic<3 and >=2.10
    tgllm-old 1.0 depends on pydantic<2
    The user requested (constraint) pydantic==2.13.5

To fix this you could try to:
1. loosen the range of package versions you've specified
"""
PIP_NONE = """
ERROR: Could not find a version that satisfies the requirement nothing (from versions: none)
ERROR: No matching distribution found for nothing
"""
UV = """
error: No solution found when resolving dependencies
  cause: Because all versions of tgllm-new depend on tgllm>=1.1 and you require tgllm-new, we can conclude
         that your requirements are unsatisfiable.
"""
UV_BEFORE = """
  × No solution found when resolving dependencies:
  ╰─▶ Because tgllm-old==1.0 depends on pydantic<2, we can conclude that
      your requirements are unsatisfiable.
"""


PIP_WORDS = (
    "tgllm 1.0.0 needs pydantic<3 and >=2.10, tgllm-old 1.0 needs pydantic<2, the running tgllm has pydantic==2.13.5"
)
PIP_NONE_WORDS = (
    "Could not find a version that satisfies the requirement nothing (from versions: none); "
    "No matching distribution found for nothing"
)
UV_WORDS = (
    "Because all versions of tgllm-new depend on tgllm>=1.1 and you require tgllm-new, we can conclude that "
    "your requirements are unsatisfiable."
)
UV_BEFORE_WORDS = (
    "Because tgllm-old==1.0 depends on pydantic<2, we can conclude that your requirements are unsatisfiable."
)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (PIP, PIP_WORDS),
        (PIP_NONE, PIP_NONE_WORDS),
        (UV, UV_WORDS),
        (UV_BEFORE, UV_BEFORE_WORDS),
        ("something else\nat the end\n", "at the end"),
        ("", "the installer gave no reason"),
    ],
)
def test_a_conflict_in_words(output: str, words: str) -> None:
    assert conflict_in_words(output.splitlines()) == words


def test_the_report_of_pip_names_what_is_hardly_a_plugin(tmp_path: Path) -> None:
    def entry(name: str, requires: list[str], *, requested: bool = True) -> dict[str, object]:
        return {"metadata": {"name": name, "version": "1.0", "requires_dist": requires}, "requested": requested}

    path = tmp_path / "report.json"
    entries = [entry("Tgllm_X", ["tgllm>=1.0"]), entry("stranger", []), entry("libx", [], requested=False)]
    path.write_text(json.dumps({"install": entries}), encoding="utf-8")

    resolved = read_report(path)

    assert resolved.versions == {"tgllm-x": "1.0", "stranger": "1.0", "libx": "1.0"}
    assert resolved.strangers == ("stranger",)


def test_the_output_of_uv() -> None:
    lines = ["Would install 2 packages", " - libx==2.0", " + libx==1.0", " + tgllm-b==1.0", " ~ tgllm-c==2.0"]

    assert read_uv(lines).versions == {"libx": "1.0", "tgllm-b": "1.0", "tgllm-c": "2.0"}
