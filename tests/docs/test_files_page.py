"""docs/reference/files.md names every built-in file handler, with all of its kinds, and every refusal."""

import re
import tomllib
from pathlib import Path

from tgllm.api.files import FileHandler
from tgllm.plugins.builtin.files import plugin

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
READERS = ROOT / "src" / "tgllm" / "plugins" / "builtin" / "files"


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a heading, without its header."""
    lines = re.findall(r"^\|(.*)\|$", section(title), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def handlers() -> tuple[FileHandler, ...]:
    return plugin._HANDLERS


def test_every_handler_is_there_with_its_types() -> None:
    documented = {row[0].strip("`"): row[2] for row in rows("Kinds")}

    assert documented == {
        handler.id: ", ".join(f"`{mime}`" for mime in sorted(handler.mime_types)) for handler in handlers()
    }


def test_every_refusal_of_a_reader_is_there() -> None:
    documented = set(re.findall(r"`(file_\w+)`", section("What is refused")))
    raised = {code for path in READERS.rglob("*.py") for code in re.findall(r'"(file_\w+)"', path.read_text())}

    assert len(raised) > 4
    assert raised <= documented


def test_every_refusal_has_a_text() -> None:
    texts = tomllib.loads((ROOT / "src" / "tgllm" / "i18n" / "en.toml").read_text(encoding="utf-8"))["error"]

    assert set(re.findall(r"`(file_\w+)`", section("What is refused"))) <= texts.keys()


def test_the_packages_are_those_of_the_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {re.split(r"[<>=!;\s]", line)[0].lower() for line in project["optional-dependencies"]["files"]}

    assert {row[0].partition(",")[0].lower() for row in rows("Libraries")} == extra
