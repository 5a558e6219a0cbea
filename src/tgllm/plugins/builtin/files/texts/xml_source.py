"""Reader of XML and SVG as source, which no parser expands."""

import io
import re
from pathlib import Path
from typing import BinaryIO

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.encoding import detect, known_encoding
from tgllm.plugins.builtin.files.shared.reading import read_file
from tgllm.plugins.builtin.files.texts import text

__all__ = ["extract", "write"]

_HEAD = 16 * 1024 * 1024
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{200,}")
_PATH = re.compile(r"""(\s(?:d|points)=["'])([^"'<>]{200})[^"'<>]+""")
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{2,40})")
_LONG_LINE = 2_000


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return XML as source, with a line for each tag if it has none; pictures and long paths are shortened."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, name: str, builder: TextBuilder) -> str:
    """Add XML."""
    found = detect(stream)
    head = stream.read(_HEAD)
    encoding, guessed = found.name, found.name if found.guessed else ""
    declared = _DECLARED.match(head) if found.guessed else None
    known = known_encoding(declared[1].decode()) if declared else None
    if known:
        encoding, guessed = known, ""
    source = _PATH.sub(r"\1\2…", _DATA_URI.sub("data:…", head.decode(encoding, "replace")))
    if max(map(len, source[:100_000].splitlines()), default=0) > _LONG_LINE:
        source = re.sub(r">\s*<(?!/)", ">\n<", source)
    language = "svg" if name.lower().endswith(".svg") or "<svg" in source[:2000] else "xml"
    text.write_fenced(source.lstrip("\ufeff"), io.StringIO(), language, builder)
    if stream.read(1):
        builder.truncated = True
    return guessed
