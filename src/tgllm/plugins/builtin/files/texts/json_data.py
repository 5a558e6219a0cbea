"""Reader of JSON, JSON lines and notebooks."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text
from tgllm.plugins.builtin.files.shared.encoding import open_text
from tgllm.plugins.builtin.files.shared.reading import read_file
from tgllm.plugins.builtin.files.texts import text

__all__ = ["extract", "write"]

_PRETTY = 2 * 1024 * 1024
"""Characters up to which JSON is parsed and indented."""
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]{200,}")


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return JSON, indented if it is small; a notebook as Markdown; what is no JSON as it is."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, _name: str, builder: TextBuilder) -> str:
    """Add JSON."""
    with open_text(stream) as (reader, encoding):
        content = reader.read(_PRETTY + 1)
        if len(content) <= _PRETTY:
            parsed = _parse(content)
            if parsed is not None:
                cells = _notebook(parsed[0])
                if cells is not None:
                    _write_notebook(cells, builder)
                    return encoding
                content = parsed[1]
        text.write_fenced(_DATA_URI.sub("data:…", content), reader, "json", builder)
        return encoding


def _parse(content: str) -> tuple[object, str] | None:
    """Return the value and its text on lines that are short enough to cut between, or None if it is no JSON."""
    try:
        value = json.loads(content.lstrip("\ufeff"))
        pretty = json.dumps(value, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None
    # Indenting lists of numbers makes a line of each.
    return value, pretty if len(pretty) <= 2 * len(content) + 200 else content


def _notebook(value: object) -> Sequence[object] | None:
    """Return the cells of a Jupyter notebook. nbformat 4."""
    if not isinstance(value, Mapping):
        return None
    notebook = cast("Mapping[str, object]", value)
    cells = notebook.get("cells")
    return cast("list[object]", cells) if "nbformat" in notebook and isinstance(cells, list) else None


def _write_notebook(cells: Sequence[object], builder: TextBuilder) -> None:
    for each in cells:
        if not isinstance(each, Mapping):
            continue
        cell = cast("Mapping[str, object]", each)
        source = _joined(cell.get("source"))
        shown = _fenced(source, "python") if cell.get("cell_type") == "code" else clean_text(source)
        if source.strip() and not builder.add(shown):
            return
        for output in _outputs(cell):
            if not builder.add(_fenced(output, "output")):
                return


def _outputs(cell: Mapping[str, object]) -> Iterator[str]:
    outputs = cell.get("outputs")
    for each in cast("list[object]", outputs) if isinstance(outputs, list) else []:
        if isinstance(each, Mapping):
            output = cast("Mapping[str, object]", each)
            data = output.get("data")
            plain = cast("Mapping[str, object]", data).get("text/plain") if isinstance(data, Mapping) else None
            shown = _joined(output.get("text") or plain or output.get("evalue"))
            if shown.strip():
                yield shown


def _joined(lines: object) -> str:
    if isinstance(lines, list):
        return "".join(line for line in cast("list[object]", lines) if isinstance(line, str))
    return lines if isinstance(lines, str) else ""


def _fenced(code: str, language: str) -> str:
    fence = "`" * max(3, max((len(found) + 1 for found in re.findall(r"`{3,}", code)), default=0))
    return f"{fence}{language}\n{clean_text(code)}\n{fence}"
