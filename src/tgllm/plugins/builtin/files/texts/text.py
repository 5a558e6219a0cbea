"""Reader of plain text and source code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.encoding import open_text
from tgllm.plugins.builtin.files.shared.kinds import kind_of_name, kind_of_shebang
from tgllm.plugins.builtin.files.shared.reading import read_file

__all__ = ["extract", "write", "write_fenced"]

_CHUNK = 65_536
_LONGEST_LINE = 262_144
_HEAD = 4096
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""Terminal escapes: colours, cursor movements, titles. ECMA-48, 5.4."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_FENCE = re.compile(r"`{3,}")
_LONGEST_FENCE = 100


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return a text; code is fenced and named by the ending of the path, or by its first line."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, name: str, builder: TextBuilder) -> str:
    """Add a text or source code."""
    with open_text(stream) as (reader, encoding):
        head = reader.read(_HEAD)
        kind = kind_of_name(name) or kind_of_shebang(head.lstrip("\ufeff"))
        if kind is not None and kind.language:
            write_fenced(head, reader, kind.language, builder)
        else:
            for chunk in _chunks(head, reader):
                if not builder.line(chunk):
                    break
        return encoding


def write_fenced(head: str, reader: TextIO, language: str, builder: TextBuilder) -> None:
    """Add code between fences that are longer than all fences in it."""
    parts: list[str] = []
    room = builder.left - 2 * _LONGEST_FENCE - len(language) - 8
    for chunk in _chunks(head, reader):
        parts.append(chunk)
        room -= len(chunk) + 1
        if room < 0:
            break
    code = "\n".join(parts)
    if not code.strip():
        return
    fence = "`" * min(max((len(found) + 1 for found in _FENCE.findall(code)), default=3), _LONGEST_FENCE)
    opened = f"{fence}{language}\n"
    most = builder.left - len(opened) - len(fence) - 3
    if len(code) <= most:
        builder.add(f"{opened}{code}\n{fence}")
        return
    code = code[: max(most, 0)]
    cut = code.rpartition("\n")[0] or code
    builder.add(f"{opened}{cut}\n{fence}")
    builder.truncated = True


def _chunks(head: str, reader: TextIO) -> Iterator[str]:
    """Yield a text in pieces that end at line ends, without terminal escapes and controls."""
    chunk = head + reader.readline(_LONGEST_LINE)
    while chunk:
        yield _CONTROLS.sub("", _ESCAPES.sub("", chunk)).removesuffix("\n")
        chunk = reader.read(_CHUNK)
        chunk += reader.readline(_LONGEST_LINE) if chunk and not chunk.endswith("\n") else ""
