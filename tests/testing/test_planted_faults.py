"""A good provider passes the kit, and each of many that are wrong in one way fails the test that is for it."""

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from docs_support import read_page
from pytester_support import OPTIONS
from tgllm.testing.conformance import ProviderConformance

pytestmark = pytest.mark.once

pytest_plugins = ["pytester"]

FOLDER = Path(__file__).parent / "faults"
PAGE = "reference/conformance-kit.md"
HEAD = """
from faults.good import ServiceUnderTest
from tgllm.testing.conformance import ProviderConformance
"""
KIT = """
class Test{name}(ProviderConformance):
    plugin = "faults.plugin:{name}"
    under_test = ServiceUnderTest
    seconds = {seconds}
"""
MARK = "<!-- made by tests/testing/test_planted_faults.py -->\n"


@pytest.fixture(scope="module")
def faults() -> Iterator[dict[str, Any]]:
    """The faults by the name of their provider."""
    sys.path.insert(0, str(FOLDER.parent))
    try:
        for module in ("answers", "network", "requests", "tools"):
            importlib.import_module(f"faults.{module}")
        yield importlib.import_module("faults.good").FAULTS
    finally:
        sys.path.remove(str(FOLDER.parent))
        for name in [name for name in sys.modules if name.partition(".")[0] == "faults"]:
            del sys.modules[name]


def table(faults: dict[str, Any]) -> str:
    rows = [f"| {fault.words} | `{fault.test}` |" for fault in faults.values()]
    return MARK + "\n".join(["| fault | found by |", "| --- | --- |", *sorted(rows)]) + "\n"


@pytest.mark.timeout(400)
def test_each_fault_is_found_by_the_test_that_is_for_it(pytester: pytest.Pytester, faults: dict[str, Any]) -> None:
    shutil.copytree(FOLDER, pytester.path / "faults", ignore=shutil.ignore_patterns("__pycache__"))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n")
    kits = [KIT.format(name="Good", seconds=5.0)]
    kits += [KIT.format(name=name, seconds=fault.seconds) for name, fault in faults.items()]
    pytester.makepyfile(test_kit=HEAD + "".join(kits))
    wanted = [f"test_kit.py::Test{name}::{fault.test}" for name, fault in faults.items()]

    # Some of the faults leave connections open, which are warned about while a later test runs.
    options = [option if option != "error" else "ignore" for option in OPTIONS]
    pytester.runpytest_subprocess(*options, "--junit-xml=report.xml", "test_kit.py::TestGood", *wanted)

    outcomes = dict(map(outcome_of, ET.parse("report.xml").iter("testcase")))
    good = {name: outcomes.pop(name) for name in list(outcomes) if name.startswith("TestGood::")}
    print(table(faults))  # noqa: T201  shown with -s
    # The service does not count the tokens that are written to a cache.
    assert good.pop("TestGood::test_tokens_written_to_a_cache_are_told") == "skipped"
    # The good provider takes tools.
    assert good.pop("TestGood::test_results_are_not_dropped_without_supports_tools") == "skipped"
    assert {name: outcome for name, outcome in good.items() if outcome != "passed"} == {}
    assert [name for name in outcomes.values() if name != "failed"] == [], outcomes
    assert outcomes.keys() == {f"Test{name}::{fault.test}" for name, fault in faults.items()}
    assert len(faults) >= 40


def outcome_of(case: ET.Element) -> tuple[str, str]:
    kinds = {"failure": "failed", "error": "failed", "skipped": "skipped"}
    found = [kind for tag, kind in kinds.items() if case.find(tag) is not None]
    return f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}", found[0] if found else "passed"


def test_the_documentation_has_the_table(faults: dict[str, Any]) -> None:
    page = read_page(PAGE)
    if os.environ.get("TGLLM_WRITE_DOCS"):
        path = Path(__file__).parents[2] / "docs" / PAGE
        path.write_text(page[: page.index(MARK)] + table(faults), encoding="utf-8")
        page = read_page(PAGE)

    assert page.endswith(table(faults)), "run this test once with TGLLM_WRITE_DOCS=1"


def test_every_test_of_the_kit_that_is_named_exists(faults: dict[str, Any]) -> None:
    tests = {name for name in dir(ProviderConformance) if name.startswith("test_")}

    assert {fault.test.partition("[")[0] for fault in faults.values()} - tests == set()
