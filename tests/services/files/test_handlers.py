"""Which file handlers take a file, and in which order."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tgllm.api.files import Extracted, ExtractionLimits, FileHandler
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.files.handlers import matching
from tgllm.services.files.types import FileType

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted("")


def handler(name: str, *mime_types: str, suffixes: frozenset[str] = frozenset()) -> OwnedFileHandler:
    return OwnedFileHandler(
        FileHandler(name, frozenset(mime_types), extract, suffixes=suffixes), "plugin", cast("PluginContext", None)
    )


HANDLERS = [
    handler("all", "*/*"),
    handler("texts", "text/*", "application/json"),
    handler("csv", "text/csv"),
    handler("gpx", "application/gpx+xml", suffixes=frozenset({".gpx", ".pdf"})),
    handler("other_csv", "text/csv"),
    handler("zip", "application/zip"),
]


@pytest.mark.parametrize(
    ("mime", "name", "taken"),
    [
        ("text/csv", "a.csv", ["all", "texts", "csv", "other_csv"]),
        ("text/plain", "a.txt", ["all", "texts"]),
        ("text/xml", "track.gpx", ["gpx", "all", "texts"]),
        ("text/xml", "Track.GPX", ["gpx", "all", "texts"]),
        ("application/zip", "track.gpx", ["gpx", "all", "zip"]),
        ("application/octet-stream", "a.gpx", ["gpx", "all"]),
        ("application/octet-stream", None, ["all"]),
        ("application/gpx+xml", None, ["all", "gpx"]),
        # Its content has a known type, so the ending doesn't count.
        ("application/pdf", "a.pdf", ["all"]),
        ("text/csv", "a.gpx", ["all", "texts", "csv", "other_csv"]),
        ("application/json", None, ["all", "texts"]),
    ],
)
def test_an_ending_comes_first_where_the_type_says_little(mime: str, name: str | None, taken: list[str]) -> None:
    assert [each.handler.id for each in matching(HANDLERS, FileType(mime, is_text=False), name)] == taken
