"""Files of code blocks, tables and whole answers. What writes them blocks: call it in a thread."""

import csv
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from tgllm.bot.rendering.extracts import MOST_EXTRACTS, Code, Extract, Table, extracts_of
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length
from tgllm.services.files.outgoing_names import outgoing_name

__all__ = ["Offer", "offers_of", "write_offer"]

Form = Literal["text", "csv", "xlsx"]

_ENDINGS = {
    "bash": "sh", "c": "c", "c#": "cs", "c++": "cpp", "cpp": "cpp", "cs": "cs", "csharp": "cs", "css": "css",
    "csv": "csv", "dart": "dart", "diff": "diff", "go": "go", "golang": "go", "haskell": "hs", "html": "html",
    "ini": "ini", "java": "java", "javascript": "js", "js": "js", "json": "json", "jsx": "jsx", "kotlin": "kt",
    "latex": "tex", "lua": "lua", "markdown": "md", "md": "md", "perl": "pl", "php": "php", "powershell": "ps1",
    "ps1": "ps1", "py": "py", "python": "py", "python3": "py", "r": "r", "rb": "rb", "rs": "rs", "ruby": "rb",
    "rust": "rs", "scala": "scala", "scss": "scss", "sh": "sh", "shell": "sh", "sql": "sql", "svg": "svg",
    "swift": "swift", "tex": "tex", "toml": "toml", "ts": "ts", "tsx": "tsx", "typescript": "ts", "xml": "xml",
    "yaml": "yaml", "yml": "yml", "zsh": "sh",
}  # fmt: skip
"""Endings of file names by language."""
_WHOLE_NAMES = {"dockerfile": "Dockerfile", "makefile": "Makefile", "make": "Makefile"}
_SCRIPTS = frozenset({"py", "sh", "rb", "pl", "js", "ts", "lua", "ps1", "r"})

_FILE_NAME = r"(?:[\w.-]+/)*[\w-][\w.-]*\.\w{1,8}"
_IN_INFO = re.compile(rf"(?:^|[\s:=\"'])({_FILE_NAME})(?=$|[\s\"'])")
_IN_COMMENT = re.compile(rf"(?:#|//|--|;|%|<!--|/\*)\s*(?:file(?:name)?:\s*)?({_FILE_NAME})\s*(?:-->|\*/)?")
_MOST_SEARCHED = 200
"""Characters in which a name is looked for: the patterns take quadratic time."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?")
# Excel: characters of a cell.
_LONGEST_CELL = 32_767
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that can be made from an answer."""

    name: str
    form: Form
    content: str | Extract
    """The text of the whole answer, or a part of it."""

    @property
    def digest(self) -> str:
        """Short digest of the content, for callback data."""
        content = self.content if isinstance(self.content, str) else repr(self.content)
        return f"{zlib.crc32(f'{self.form}:{content}'.encode()):08x}"


def offers_of(markdown: str, code_lines: int, answer_name: str, *, most: int = MOST_EXTRACTS) -> list[Offer]:
    """Return the files that are offered for an answer, in a stable order.

    They are the tables, as CSV and, where XlsxWriter is installed, as XLSX; large code blocks; and an answer of more
    than one message as a whole.

    Args:
        markdown: the answer.
        code_lines: lines from which a code block is large; 0: nothing is offered.
        answer_name: name of the file of a whole answer.
        most: most code blocks and tables.
    """
    if not code_lines:
        return []
    offers: list[Offer] = []
    taken: set[str] = set()
    tables = 0
    for extract in extracts_of(markdown, code_lines, most):
        if isinstance(extract, Code):
            offers.append(Offer(_free(_code_name(extract), taken), "text", extract))
            continue
        tables += 1
        stem = "table" if tables == 1 else f"table-{tables}"
        offers.append(Offer(_free(f"{stem}.csv", taken), "csv", extract))
        if _has_xlsx_writer():
            offers.append(Offer(_free(f"{stem}.xlsx", taken), "xlsx", extract))
    if utf16_length(markdown.strip()) > MESSAGE_LIMIT:
        offers.append(Offer(_free(answer_name, taken), "text", markdown.strip() + "\n"))
    return offers


def write_offer(offer: Offer, path: Path) -> None:
    """Write the file.

    Raises:
        OSError: it can't be written.
    """
    match offer.content:
        case Code(text) | str(text):
            path.write_text(text, encoding="utf-8", newline="")
        case Table(rows):
            (_write_xlsx if offer.form == "xlsx" else _write_csv)(rows, path)


def _write_csv(rows: Sequence[Sequence[str]], path: Path) -> None:
    # With a BOM, without which Excel takes it for the code page of the system.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([_inert(cell) for cell in row] for row in rows)


def _inert(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula when it opens a CSV file."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell) else cell


def _write_xlsx(rows: Sequence[Sequence[str]], path: Path) -> None:
    # Optional, without types, and slow to import.
    workbook: Any = import_module("xlsxwriter").Workbook
    errors: Any = import_module("xlsxwriter.exceptions")
    try:
        settings = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        with workbook(str(path), settings) as book:
            _fill(book, rows)
    except errors.FileCreateError as error:
        raise OSError("the table could not be written") from error


def _fill(book: Any, rows: Sequence[Sequence[str]]) -> None:  # noqa: ANN401  a library without types
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if at and _NUMBER.fullmatch(cell):
                sheet.write_number(at, column, float(cell))
            else:
                # A longer one is left out by the library.
                sheet.write_string(at, column, cell[:_LONGEST_CELL], bold if at == 0 else None)
    sheet.freeze_panes(1, 0)
    sheet.autofit()


@lru_cache(maxsize=1)
def _has_xlsx_writer() -> bool:
    return find_spec("xlsxwriter") is not None


def _code_name(code: Code) -> str:
    """Return a name from the info string or a comment in the first line, or one that shows the language."""
    first = code.text[:_MOST_SEARCHED].partition("\n")[0].strip()
    named = _IN_INFO.search(code.info[:_MOST_SEARCHED]) or _IN_COMMENT.fullmatch(first)
    if named is not None:
        return outgoing_name(named[1], "text/plain")
    words = code.info.lower().split()
    language = words[0].strip("{}.:,") if words else ""
    if language in _WHOLE_NAMES:
        return _WHOLE_NAMES[language]
    ending = _ENDINGS.get(language, "txt")
    return f"{'script' if ending in _SCRIPTS else 'code'}.{ending}"


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number if another file has it."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (name, "")
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{stem}-{number}{ending}"
    taken.add(free.lower())
    return free
