"""The code of the guide works as it stands on the page, and the kit for file handlers finds what is wrong."""

import pytest

from docs_support import blocks
from pytester_support import INI, OPTIONS

pytestmark = pytest.mark.once

pytest_plugins = ["pytester"]

CONFTEST, COMMAND, KIT = blocks("howto/test-a-plugin.md")
HANDLER = blocks("howto/read-your-own-format.md")[0]
SHOUT = next(block for block in blocks("tutorial/first-plugin.md") if "ChatCommand" in block)

FAULTS = {
    "a damaged file raises the parser's error": (
        "except ElementTree.ParseError:",
        "except ZeroDivisionError:",
        "test_a_damaged_file_is_unreadable[half]",
    ),
    "the text is longer than max_chars": (
        "text[: limits.max_chars]",
        "text",
        "test_the_text_is_cut_where_it_is_told",
    ),
    "truncated is not set": (
        "truncated=len(text) > limits.max_chars, ",
        "",
        "test_the_text_is_cut_where_it_is_told",
    ),
    "the words are lost": ("track.findtext", "track.find", "test_the_samples_are_read"),
    "the file is deleted": ("    tracks = root", "    path.unlink()\n    tracks = root", "test_the_samples_are_read"),
    "a file is left beside it": (
        "    tracks = root",
        "    path.with_suffix('.tmp').touch()\n    tracks = root",
        "test_the_samples_are_read",
    ),
    "a type is none": ('"application/gpx+xml"', '"gpx"', "test_types_and_endings_are_valid"),
    "another handler is first for its files": (
        'suffixes=frozenset({".gpx"})',
        'suffixes=frozenset({".track"})',
        "test_the_bot_gives_it_the_samples",
    ),
    "an ending has no dot": ('{".gpx"}', '{"gpx"}', "test_types_and_endings_are_valid"),
    "extract has no name": (
        'FileHandler("gpx", kinds, extract,',
        'FileHandler("gpx", kinds, lambda path, limits: extract(path, limits),',
        "test_extract_is_found_by_name",
    ),
    "the module imports a library": (
        "import asin",
        "import asin\nimport aiohttp\nfrom math import asin",
        "test_the_plugin_module_loads_no_library",
    ),
    "a thread goes on": (
        "    tracks = root",
        "    import threading as t\n    t.Thread(target=t.Event().wait, daemon=True).start()\n    tracks = root",
        "test_nothing_goes_on_after_a_file",
    ),
}


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini(INI)
    return pytester


def test_the_command_of_the_tutorial_passes(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST)
    project.makepyfile(tgllm_shout=SHOUT, test_it=COMMAND)

    assert project.runpytest_subprocess(*OPTIONS).parseoutcomes() == {"passed": 1}


def test_the_handler_of_the_guide_passes_and_each_fault_is_found(project: pytest.Pytester) -> None:
    project.makepyfile(tgllm_gpx=HANDLER, test_good=KIT)
    wanted: list[str] = []
    for number, (words, (right, wrong, test)) in enumerate(FAULTS.items()):
        assert right in HANDLER, words
        name = f"test_fault_{number}"
        module = f"gpx_{number}"
        project.makepyfile(**{module: HANDLER.replace(right, wrong), name: KIT.replace("tgllm_gpx", module)})
        wanted.append(f"{name}.py::TestGpx::{test}")

    result = project.runpytest_subprocess(*OPTIONS, "test_good.py", *wanted)

    failed = {
        line.partition(" - ")[0].removeprefix("FAILED ") for line in result.outlines if line.startswith("FAILED ")
    }
    assert failed == set(wanted)
    assert result.parseoutcomes() == {"passed": 11, "failed": len(FAULTS)}


CALENDAR_KIT = """
from pathlib import Path
from tgllm import hookimpl
from tgllm.api import Extracted, ExtractionLimits, FileHandler, FileUnreadable, PluginInfo
from tgllm.testing.conformance import FileHandlerConformance

CALENDAR = b"BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nSUMMARY:Lake\\nEND:VEVENT\\nEND:VCALENDAR\\n"


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(path.read_text())


@hookimpl
def tgllm_plugin_info():
    return PluginInfo("ics", "Ics", "1.1")


@hookimpl
def tgllm_file_handlers():
    return [FileHandler("ics", frozenset({"text/x-ics"}), extract, suffixes=frozenset({".ics"}))]


class TestIcs(FileHandlerConformance):
    plugin = "test_kit"
    samples = {"a.ics": (CALENDAR, "SUMMARY", "Lake")}


class TestShape(FileHandlerConformance):
    plugin = "test_kit"
    samples = {"a.ics": CALENDAR}
"""


def test_a_type_that_the_bot_finds_otherwise_is_named(project: pytest.Pytester) -> None:
    project.makepyfile(test_kit=CALENDAR_KIT)

    result = project.runpytest_subprocess(
        *OPTIONS, "-k", "test_the_bot_gives_it_the_samples or test_the_samples_are_read"
    )

    assert result.parseoutcomes().items() >= {"passed": 1, "failed": 3}.items()
    result.stdout.fnmatch_lines_random(
        [
            "*a.ics is of the type text/calendar *, and it goes to the handler calendar: add text/calendar to*",
            "*a.ics: samples has the content and words of the text, such as (b'...', 'Lake'), and this is bytes*",
        ]
    )
