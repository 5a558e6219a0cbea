"""Which file handlers take a file."""

from collections.abc import Sequence

from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.files.names import safe_suffix
from tgllm.services.files.types import UNKNOWN, FileType

__all__ = ["GENERAL", "lowered", "matching"]

GENERAL = frozenset(
    {
        UNKNOWN,
        "application/gzip",
        "application/json",
        "application/x-ole-storage",
        "application/zip",
        "text/plain",
        "text/xml",
    }
)
"""Types that say little about a file: its ending says more."""


def lowered(mime_types: frozenset[str]) -> frozenset[str]:
    """Return MIME types in lower case, as the bot finds them: upper and lower case are the same in them."""
    return frozenset(map(str.lower, mime_types))


def matching(handlers: Sequence[OwnedFileHandler], kind: FileType, name: str | None) -> list[OwnedFileHandler]:
    """Return the handlers that take a file, in the order of the hook; the first one is used.

    Where the type is a general one, such as plain text, XML or zip, those that take the name's ending precede the
    others.
    """
    suffix = safe_suffix(name) if kind.mime in GENERAL else ""
    taken = {kind.mime, kind.mime.partition("/")[0] + "/*", "*/*"}
    by_ending = [owned for owned in handlers if suffix and suffix in owned.handler.suffixes]
    by_type = [owned for owned in handlers if owned not in by_ending and taken & lowered(owned.handler.mime_types)]
    return by_ending + by_type
