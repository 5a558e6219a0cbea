"""Table of the readers of this folder, each of which is imported only in the process that reads."""

import importlib
from pathlib import Path

from tgllm.api.files import Extracted, ExtractionLimits, FileHandler

__all__ = ["HANDLERS"]

_PACKAGE = "tgllm[files]"


def _extract(module: str, path: Path, limits: ExtractionLimits) -> Extracted:
    extracted: Extracted = importlib.import_module(f"{__package__}.{module}").extract(path, limits)
    return extracted


def read_csv(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a table of comma- or tab-separated values."""
    return _extract("csv_tables", path, limits)


def read_calendar(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a calendar."""
    return _extract("events", path, limits)


def read_html(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a web page."""
    return _extract("html", path, limits)


def read_json(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read JSON or a notebook."""
    return _extract("json_data", path, limits)


def read_mail(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a mail."""
    return _extract("mail", path, limits)


def read_rtf(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read RTF."""
    return _extract("rtf", path, limits)


def read_subtitles(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read subtitles."""
    return _extract("subtitles", path, limits)


def read_tar(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a tar archive or a compressed text."""
    return _extract("tars", path, limits)


def read_xml(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read XML or SVG."""
    return _extract("xml_source", path, limits)


def read_zip(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a zip archive."""
    return _extract("zips", path, limits)


def read_text(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read plain text or code."""
    return _extract("text", path, limits)


HANDLERS = (
    FileHandler(
        id="csv",
        mime_types=frozenset({"text/csv", "text/tab-separated-values"}),
        extract=read_csv,
    ),
    FileHandler(
        id="calendar",
        mime_types=frozenset({"text/calendar"}),
        extract=read_calendar,
    ),
    FileHandler(
        id="html",
        mime_types=frozenset({"text/html", "application/xhtml+xml"}),
        extract=read_html,
        needs=("selectolax",),
        package=_PACKAGE,
    ),
    FileHandler(
        id="json",
        mime_types=frozenset({"application/json"}),
        extract=read_json,
    ),
    FileHandler(
        id="mail",
        mime_types=frozenset({"message/rfc822"}),
        extract=read_mail,
        needs=("selectolax",),
        package=_PACKAGE,
    ),
    FileHandler(
        id="rtf",
        mime_types=frozenset({"text/rtf", "application/rtf"}),
        extract=read_rtf,
    ),
    FileHandler(
        id="subtitles",
        mime_types=frozenset({"application/x-subrip", "text/vtt"}),
        extract=read_subtitles,
    ),
    FileHandler(
        id="tar",
        mime_types=frozenset({"application/gzip", "application/x-tar", "application/x-bzip2", "application/x-xz"}),
        extract=read_tar,
        needs=("selectolax",),
        package=_PACKAGE,
    ),
    FileHandler(
        id="xml",
        mime_types=frozenset({"text/xml", "application/xml", "image/svg+xml"}),
        extract=read_xml,
    ),
    FileHandler(
        id="zip",
        mime_types=frozenset(
            {"application/zip", "application/java-archive", "application/vnd.android.package-archive"}
        ),
        extract=read_zip,
        needs=("selectolax",),
        package=_PACKAGE,
    ),
    # Takes all other texts, so it is the last one.
    FileHandler(
        id="text",
        mime_types=frozenset({"text/*", "application/x-ndjson"}),
        extract=read_text,
    ),
)
