"""Reader of subtitles: a line for each, with its time."""

import re
from pathlib import Path
from typing import BinaryIO

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text
from tgllm.plugins.builtin.files.shared.encoding import open_text
from tgllm.plugins.builtin.files.shared.reading import read_file

__all__ = ["extract", "write"]

_TIMES = re.compile(r"\s*((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}.*")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]*>|<[\d:.]+>|\{\\[^}]*\}")


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return SubRip or WebVTT subtitles as lines such as ``00:01:02 text``."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, _name: str, builder: TextBuilder) -> str:
    """Add subtitles."""
    with open_text(stream) as (reader, encoding):
        time, words, last = "", [""], ""
        for line in reader:
            match = _TIMES.fullmatch(line.rstrip("\n"))
            if match is None:
                words.append(_TAGS.sub("", line).strip())
                continue
            # The line before the times is the number or name of the next one.
            last = _show(time, words[:-1] if time else [], last, builder)
            time, words = match[1], []
            if builder.full:
                return encoding
        _show(time, words, last, builder)
        if not time:
            builder.add(clean_text("\n".join(words)))
        return encoding


def _show(time: str, words: list[str], last: str, builder: TextBuilder) -> str:
    """Add a subtitle, unless it repeats the last one, as those of speech recognition do; return what it says."""
    said = " ".join(clean_text(" ".join(words)).split())
    if time and said and said != last:
        builder.line(f"{time} {said}")
    return said or last
