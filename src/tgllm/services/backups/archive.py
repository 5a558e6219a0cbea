"""Format of a backup with files: a tar file, optionally compressed with gzip.

Its members, in this order: ``tgllm-backup.json`` (``Label``), the database ``tgllm.db``, the files as ``files/<id>``,
those of plugins as ``plugins/<plugin>/<path>``, and ``contents.json`` with the checksums. Without that last member the
backup is not complete.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Final, Self, cast

__all__ = [
    "BLOB",
    "CONTENTS",
    "DATABASE",
    "FORMAT",
    "LABEL",
    "MOST_JSON",
    "Contents",
    "Hashed",
    "Label",
    "is_archive_name",
]

FORMAT: Final = 1
LABEL: Final = "tgllm-backup.json"
DATABASE: Final = "tgllm.db"
CONTENTS: Final = "contents.json"
BLOB: Final = re.compile(r"files/[0-9a-f]{32}")
"""Name of a file in the archive, and its path relative to the data folder."""
MOST_JSON: Final = 2**26
"""Maximum size of a JSON member, in bytes."""

_MOST_TIME: Final = 253_402_300_800_000
"""The year 10000, in UTC milliseconds."""
_DATABASE_ENDINGS: Final = (".db", ".sqlite", ".sqlite3")


def is_archive_name(name: str) -> bool:
    """Return whether a backup of this name holds the files too; ``copy.db`` is the database alone."""
    return not name.endswith(_DATABASE_ENDINGS)


@dataclass(frozen=True, slots=True)
class Label:
    """First member: what the backup is, readable without the rest."""

    made_at: int
    """UTC in milliseconds."""
    program: str
    """Version of the tgllm that made it."""
    schema: int
    """Schema version of the database."""
    bot_id: int | None
    username: str | None
    database_bytes: int
    files: int
    """Number of files; 0 without them."""
    file_bytes: int
    """Size of the files, with those of plugins."""
    with_files: bool = True
    format: int = FORMAT

    def dump(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Parse it.

        Raises:
            ValueError: it is none, or of a newer format.
        """
        values = _object(data)
        if values.get("format") != FORMAT:
            raise ValueError(f"its format is {values.get('format')!r}, and this tgllm knows {FORMAT}")
        if set(values) != set(cls.__slots__) or not all(_fits(name, value) for name, value in values.items()):
            raise ValueError("its description is incomplete")
        return cls(**cast("dict[str, int]", values))  # type: ignore[arg-type]  checked above


@dataclass(frozen=True, slots=True)
class Contents:
    """Last member: checksums of all other members, and the files that could not be included."""

    sha256: Mapping[str, str]
    """By name of the member."""
    missing: tuple[str, ...] = ()
    """Files of the database that were not on disk, or gone meanwhile because they were deleted."""

    def dump(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"sha256": dict(self.sha256), "missing": list(self.missing)}).encode()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Parse it.

        Raises:
            ValueError: it is none.
        """
        values = _object(data)
        sums, missing = values.get("sha256"), values.get("missing")
        if not isinstance(sums, dict) or not isinstance(missing, list):
            raise ValueError("its list of contents is incomplete")  # noqa: TRY004  the contents of a file, and not an argument
        return cls(cast("dict[str, str]", sums), tuple(str(name) for name in cast("list[object]", missing)))


class Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Hash the bytes of a stream."""
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._stream.read(size)
        self.sha256.update(data)
        return data


_NUMBERS: Final = frozenset({"made_at", "schema", "database_bytes", "files", "file_bytes", "format"})


def _fits(name: str, value: object) -> bool:
    """Return whether a value of a label has its type and a range that can be shown."""
    if name == "with_files":
        return isinstance(value, bool)
    if name == "program" or (name == "username" and value is not None):
        return isinstance(value, str)
    if value is None:
        return name in {"bot_id", "username"}
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return name not in _NUMBERS or 0 <= value < (_MOST_TIME if name == "made_at" else 2**63)


def _object(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("its description is no JSON") from error
    if not isinstance(found, dict):
        raise ValueError("its description is no JSON object")  # noqa: TRY004  a value of the file, not of the program
    return cast("dict[str, object]", found)
