"""Plugins are found by metadata alone."""

import subprocess
import sys
from typing import Any

from tgllm.plugins import discover


def test_a_plugin_is_found_with_what_its_package_says(site: Any) -> None:
    site.install("good_all")

    (found,) = site.found()

    assert (found.id, found.package, found.version) == ("good_all", "tgllm-test-good-all", "0.3.0")
    assert (found.value, found.summary, found.builtin) == ("tgllm_test_good_all", "For tests.", False)


def test_nothing_is_imported(site: Any) -> None:
    site.install("good_all", "bad_exit", "hang_import")

    assert [found.id for found in site.found()] == ["bad_exit", "good_all", "hang_import"]
    assert not [name for name in sys.modules if name.startswith("tgllm_test_")]


def test_the_first_of_two_distributions_of_one_name_counts(site: Any) -> None:
    site.install("good_all")
    site.add("Tgllm_Test.good-all", "0.1.0", {"good_all": "older"}, {})

    assert len([found for found in discover() if found.id == "good_all"]) == 1


def test_unreadable_metadata_is_passed_over(site: Any) -> None:
    site.install("good_all")
    for number, text in enumerate((b"[tgllm]\nx = \xff\xfe\n", b"[console_scripts]\nnothing\n")):
        broken = site.folder / f"broken{number}-1.0.dist-info"
        broken.mkdir()
        (broken / "entry_points.txt").write_bytes(text)

    assert [found.id for found in site.found()] == ["good_all"]


def test_the_host_is_light_to_import() -> None:
    code = (
        "import sys, tgllm.plugins, tgllm.plugins.builtin.found;"
        "heavy = {'pydantic', 'aiogram', 'structlog', 'typer', 'rich', 'httpx', 'tgllm.plugins.builtin.echo'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)

    assert done.stdout.strip() == "[]"
