"""Putting a setting into files with every form that tables and values have in TOML."""

import contextlib
import re
import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgllm.config.edit import with_setting

KEYS = ["password_hash", "admin.password_hash", "log.admin.password_hash", "new.name"]
NAMES = ["admin", "log", "password_hash", "'admin'", '"a b"']
PLAIN = ["'x'", '"\\u00e9 # no"', "0x1F", "1.50", "nan", "true", "2020-01-01 10:00:00Z", "'[admin]'"]
LONG = ['"""\n[admin]\npassword_hash = 1 \\\n # no"""', "'''\n# no\n[admin]'''"]
REMARKS = ["", " [admin]", " password_hash = 1", ' """', " \u2028é"]


class Writer:
    """Writes a file; each of its comments has a number of its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.comments = 0

    def one_of(self, *choices: str) -> str:
        return self.draw(st.sampled_from(choices))

    def space(self) -> str:
        return self.one_of("", " ", "\t")

    def comment(self) -> str:
        self.comments += 1
        return f"#{self.comments}.{self.one_of(*REMARKS)}"

    def rest(self) -> str:
        """The end of a line."""
        return f"{self.space()}{self.comment() if self.draw(st.booleans()) else ''}\n"

    def path(self, most: int) -> str:
        names = self.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=most))
        return f"{self.space()}.{self.space()}".join(names)

    def value(self, depth: int = 0) -> str:
        kind = self.one_of("plain", "plain", "long", *(["array", "rows", "inline"] if depth < 2 else []))
        if kind in {"plain", "long"}:
            return self.one_of(*(LONG if kind == "long" else PLAIN))
        inner = [self.value(depth + 1) for _ in range(self.draw(st.integers(0, 2)))]
        if kind == "rows":
            return f"[{self.rest()}{''.join(f'{each},{self.rest()}' for each in inner)}]"
        if kind == "array":
            return f"[{self.space()}{', '.join(inner)}{self.space()}]"
        return f"{{{self.space()}{', '.join(f'{self.path(2)} = {each}' for each in inner)}{self.space()}}}"

    def line(self) -> str:
        match self.one_of("pair", "pair", "header", "array", "comment", "blank"):
            case "pair":
                return f"{self.space()}{self.path(3)}{self.space()}={self.space()}{self.value()}{self.rest()}"
            case "header":
                return f"{self.space()}[{self.space()}{self.path(3)}{self.space()}]{self.rest()}"
            case "array":
                return f"{self.space()}[[{self.path(2)}]]{self.rest()}"
            case "comment":
                return f"{self.space()}{self.comment()}\n"
            case _:
                return f"{self.space()}\n"


@st.composite
def files(draw: st.DrawFn) -> str:
    writer, text = Writer(draw), ""
    for _ in range(draw(st.integers(0, 8))):
        longer = text + writer.line()
        with contextlib.suppress(tomllib.TOMLDecodeError):
            tomllib.loads(longer)
            text = longer
    text = writer.one_of(text, text.removesuffix("\n"))
    return writer.one_of(text, text.replace("\n", "\r\n"))


def values(text: str) -> dict[str, Any]:
    # As texts, floats that are no numbers are equal to themselves.
    return tomllib.loads(text, parse_float=str)


def comments(text: str) -> list[str]:
    return re.findall(r"#\d+\.[^\r\n]*", text)


def replaced(text: str, changed: str) -> str:
    """What of a text is not in the changed one, between the beginning and the end that both have."""
    shorter = min(len(text), len(changed))
    start = next((i for i in range(shorter) if text[i] != changed[i]), shorter)
    end = next((i for i in range(shorter - start) if text[-1 - i] != changed[-1 - i]), shorter - start)
    return text[start : len(text) - end]


# On a busy machine and Python 3.11, where Hypothesis traces each line, the examples take minutes.
@pytest.mark.timeout(400)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(files(), st.sampled_from(KEYS), st.text(max_size=5))
def test_all_but_that_setting_stays(text: str, key: str, value: str) -> None:
    *tables, name = key.split(".")
    wanted = section = values(text)
    for table in tables:
        section = section.setdefault(table, {}) if isinstance(section, dict) else section
    if not isinstance(section, dict) or isinstance(section.get(name), dict | list):
        with pytest.raises(ValueError, match="must be a"):
            with_setting(text, key, value)
        return
    was_there = name in section
    section[name] = value
    changed = with_setting(text, key, value)

    assert values(changed) == wanted
    assert sorted(comments(changed)) == sorted(comments(text))
    if "\r\n" in text:
        assert not re.search(r"(?<!\r)\n", changed)
    # tomlkit moves a few things in files whose tables are mixed up.
    if tomlkit.parse(text).as_string() == text:
        assert comments(changed) == comments(text)
        assert was_there or not replaced(text.rstrip("\r\n"), changed.rstrip("\r\n")).strip()
