"""Write the tables of ``docs/reference/configuration.md`` from the models of the settings; other text stays."""

import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

import annotated_types
from pydantic.fields import FieldInfo

from tgllm.config.sources.keys import FIELDS, variable

TARGET: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md"
HEAD: Final = "| key | variable | default | allowed | meaning |\n| --- | --- | --- | --- | --- |\n"
MAIN: Final = "The bot"
AFTER_ALL: Final = "## Settings of plugins\n"

WORDS: Final[Mapping[type, tuple[str, str]]] = {
    annotated_types.Ge: ("at least", "ge"),
    annotated_types.Gt: ("more than", "gt"),
    annotated_types.Le: ("at most", "le"),
    annotated_types.Lt: ("less than", "lt"),
}


def page(text: str) -> str:
    """Return the page with new tables; a section without a heading gets one before the settings of plugins."""
    for title, keys in groupby(FIELDS, section):
        table = HEAD + "".join(f"{row(key)}\n" for key in keys)
        heading = f"### {title}\n"
        if heading not in text:
            text = text.replace(AFTER_ALL, f"{heading}\n{table}\n{AFTER_ALL}")
            continue
        before, _, rest = text.partition(heading)
        pattern = re.compile(re.escape(HEAD) + r"(?:\|.*\n)+")
        text = before + heading + pattern.sub(lambda _, new=table: new, rest, count=1)
    return text


def section(key: str) -> str:
    """Return the heading under which a setting stands."""
    table, dot, _ = key.rpartition(".")
    return f"`[{table}]`" if dot else MAIN


def row(key: str) -> str:
    """Return the row of a setting."""
    field = FIELDS[key]
    return f"| `{key}` | `{variable(key)}` | {default(field)} | {', '.join(allowed(field))} | {field.description} |"


def allowed(field: FieldInfo) -> Iterator[str]:
    """Yield the bounds of a setting in words."""
    for bound in field.metadata:
        if type(bound) in WORDS:
            words, name = WORDS[type(bound)]
            yield f"{words} {getattr(bound, name)}"


def default(field: FieldInfo) -> str:
    """Return a setting's default in words."""
    if field.default_factory is not None:
        return "the system's data folder"
    if field.default in (None, ()):
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(page(TARGET.read_text(encoding="utf-8")), encoding="utf-8") == 0)
