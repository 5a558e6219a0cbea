"""README and reference count the providers that there are, and each package requires the tgllm that it needs."""

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tgllm.services.setup.packages import PACKAGES
from tgllm_openai.presets import load_presets

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs/reference/plugins.md").read_text(encoding="utf-8")
FOLDERS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plugin(folder: Path) -> Any:
    return import_module(f"{folder.name}.plugin")


def providers() -> list[Path]:
    """The packages that have models."""
    return [folder for folder in FOLDERS if hasattr(plugin(folder), "tgllm_providers")]


def test_the_number_of_packages_and_of_presets_is_that_of_the_code() -> None:
    assert f"by {WORDS[len(providers()) - 1]} packages" in README
    known = str(len(load_presets()))
    assert re.findall(r"\[(\d+) of them by name\]", README) == [known]
    assert re.findall(r"\[(\d+) by name\]", REFERENCE) == [known]


def test_the_reference_lists_each_package() -> None:
    assert sorted(re.findall(r"^\| \[(tgllm-\w+)\]", REFERENCE, re.MULTILINE)) == sorted(
        project(folder)["name"] for folder in FOLDERS
    )


def test_init_names_each_package_with_models() -> None:
    assert {each.package for each in PACKAGES} == {project(folder)["name"] for folder in providers()}
    for each in PACKAGES:
        (folder,) = [folder for folder in providers() if project(folder)["name"] == each.package]
        assert list(project(folder)["entry-points"]["tgllm"]) == [each.plugin_id]
        assert plugin(folder).tgllm_plugin_info().title == each.title


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_package_requires_the_first_tgllm_with_its_plugin_api(folder: Path) -> None:
    needed = plugin(folder).tgllm_plugin_info().api
    assert [name for name in project(folder)["dependencies"] if name.startswith("tgllm")] == [f"tgllm>={needed},<2"]
