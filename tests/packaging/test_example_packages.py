"""The examples, and a plugin of llm, work as installed packages; the examples with their own tests."""

import shutil
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = ["parrot", "remind"]

pytestmark = pytest.mark.packaging


def test_every_example_is_tried(tree: Path) -> None:
    assert sorted(path.name for path in (tree / "examples").iterdir()) == [f"tgllm-{name}" for name in EXAMPLES]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_listed(name: str, author: Any) -> None:
    listed = author.plugins()[name]

    assert (listed["package"], listed["state"]) == (f"tgllm-{name}", "active")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_tests_of_an_example_pass_with_the_installed_package(
    name: str, author: Any, tree: Path, tmp_path: Path
) -> None:
    # Without the sources beside them.
    for part in ("pyproject.toml", "tests"):
        source = tree / "examples" / f"tgllm-{name}" / part
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, tmp_path / part)

    done = author.run(
        "python", "-m", "pytest", "-q", "--rootdir", tmp_path, "-c", tmp_path / "pyproject.toml", tmp_path
    )

    assert " passed" in done.stdout


def test_a_plugin_of_llm_answers(author: Any, tmp_path: Path) -> None:
    author.run("tgllm", "--data-dir", tmp_path, "models", "sync")
    listed = author.run("tgllm", "--data-dir", tmp_path, "models", "list").stdout
    told = author.run("tgllm", "--data-dir", tmp_path, "chat", "--model", "llm/echo", "Good morning").stdout

    assert "llm/echo" in listed
    assert "gpt-" not in listed
    assert "echo-needs-key" not in listed
    assert '"prompt": "Good morning"' in told
