"""Line numbers of settings in their files, for error messages."""

import io
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

__all__ = ["dotenv_line", "spot", "toml_line"]


def spot(path: str, name: str) -> str:
    """Return where a setting is: ``path:line``, or only the path if the line is unknown.

    The file is read again, since lines are only needed for an error.

    Args:
        path: of the file.
        name: a dotted key of a TOML file, or a variable of a ``.env`` file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return path
    line = toml_line(text, name.split(".")) or dotenv_line(text, name)
    return f"{path}:{line}" if line else path


def toml_line(text: str, steps: Sequence[str]) -> int:
    """Return the line in which a key or table first appears, counted from 1; 0 if the text does not contain it.

    tomllib reports no lines, but the beginning of a TOML text is itself TOML wherever no value is split. The line
    is the one with which the shortest beginning that contains the key differs from the one before it.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    found = _contains(lines, len(lines), steps)
    if not found:
        return 0
    without, with_it = 0, len(lines)
    while with_it - without > 1:
        middle = (without + with_it) // 2
        # Down and up to the next end of a value.
        ends = (*range(middle, without, -1), *range(middle + 1, with_it))
        end = next((end for end in ends if _contains(lines, end, steps) is not None), None)
        if end is None:
            break
        without, with_it = (without, end) if _contains(lines, end, steps) else (end, with_it)
    return without + 1


def _contains(lines: Sequence[str], end: int, steps: Sequence[str]) -> bool | None:
    """Return whether the first lines contain the key; None if they are no TOML."""
    try:
        found: object = tomllib.loads("\n".join(lines[:end]) + "\n")
    except tomllib.TOMLDecodeError:
        return None
    return _reaches(found, tuple(steps))


def _reaches(found: object, steps: tuple[str, ...]) -> bool:
    """Return whether the steps lead to a value; a name in the file may itself contain dots."""
    if not steps:
        return True
    if not isinstance(found, dict):
        return False
    table = cast("dict[str, object]", found)
    names = ((".".join(steps[:end]), steps[end:]) for end in range(1, len(steps) + 1))
    return any(name in table and _reaches(table[name], rest) for name, rest in names)


def dotenv_line(text: str, name: str) -> int:
    """Return the line of the assignment that counts, the last one; 0 if there is none."""
    from dotenv.parser import parse_stream  # noqa: PLC0415  only for an error

    return max((item.original.line for item in parse_stream(io.StringIO(text)) if item.key == name), default=0)
