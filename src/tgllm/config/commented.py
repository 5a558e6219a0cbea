"""Text of a config file with comments."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.config.write import TomlValue
from tgllm.observe.visible import visible_line

__all__ = ["Entry", "commented_toml"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting of a config file."""

    key: str
    """Dotted, such as ``plugins.gemini.api_key``."""
    value: TomlValue
    comment: Sequence[str] = ()
    """Lines above it. They may contain names from Telegram, so they are made safe."""
    is_example: bool = False
    """Whether it is a comment itself, as an example."""


def commented_toml(head: Sequence[str], entries: Sequence[Entry]) -> str:
    """Return the text of a config file; entries of one table stand together, those without a table come first."""
    lines = [_comment(line) for line in head]
    last = ""
    for entry in sorted(entries, key=_table):
        table, name = _table(entry), _name(entry)
        if entry.comment or table != last:
            lines.append("")
        if table != last:
            lines.append(f"[{table}]")
            last = table
        lines += [_comment(line) for line in entry.comment]
        lines.append(f"{'# ' if entry.is_example else ''}{name} = {_value(entry.value)}")
    return "\n".join(lines) + "\n"


def _comment(line: str) -> str:
    return f"# {visible_line(line)}" if line else "#"


def _table(entry: Entry) -> str:
    return ".".join(_bare(part) for part in entry.key.split(".")[:-1])


def _name(entry: Entry) -> str:
    return _bare(entry.key.rpartition(".")[2])


def _bare(part: str) -> str:
    import tomlkit  # noqa: PLC0415  short commands do without it

    return tomlkit.key(part).as_string()


def _value(value: TomlValue) -> str:
    import tomlkit  # noqa: PLC0415  short commands do without it

    return tomlkit.item(value).as_string()
