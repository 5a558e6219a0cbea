"""The page on the architecture names what is in the tree."""

import re
from pathlib import Path

import pytest

import rooms
from docs_support import read_page

ROOT = Path(__file__).resolve().parents[2]
PAGE = read_page("explanation/architecture.md")
ROOMS = rooms.read_rooms((ROOT / "CONTEXT.md").read_text(encoding="utf-8"))


def named_paths(text: str) -> set[str]:
    """Everything in backticks that is written as a path of a module or folder."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return set(re.findall(r"`((?:[a-z_0-9.]+/)*[a-z_0-9]+(?:\.[a-z]+)?|(?:[a-z_0-9.]+/)+)`", prose)) - {"conn", "Clock"}


def is_there(path: str) -> bool:
    return any((folder / path).exists() for folder in (ROOT, ROOT / "src" / "tgllm"))


def test_every_module_on_the_page_is_there() -> None:
    paths = {path for path in named_paths(PAGE) if "/" in path or path.endswith(".py")}

    assert len(paths) > 40
    assert [path for path in sorted(paths) if not is_there(path)] == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("see `bot/scope.py` and `db/tables`", []),
        ("see `bot/attic.py`", ["bot/attic.py"]),
        ("see `bot/attic`", ["bot/attic"]),
    ],
)
def test_a_module_that_is_gone_is_noticed(text: str, missing: list[str]) -> None:
    assert [path for path in sorted(named_paths(text)) if not is_there(path)] == missing


@pytest.mark.parametrize("layer", ["bot", "services", "plugins"])
def test_the_picture_shows_every_room(layer: str) -> None:
    _, _, picture = PAGE.partition(f"subgraph {layer}[")
    shown = re.findall(r'\b\w+\["(\w+)"\]', picture.partition("\n    end")[0])

    folders = {room for room in ROOMS[layer] if (ROOT / "src" / "tgllm" / layer / room).is_dir()}
    assert set(shown) == folders
    assert len(shown) == len(folders)


def test_there_is_a_place_for_each_typical_change() -> None:
    _, _, section = PAGE.partition("## Where do I put ...")
    rows = re.findall(r"^\| ([a-zA-Z ]+) \| ", section.partition("\n## ")[0], re.MULTILINE)

    assert {"chat command", "admin screen", "table", "setting", "shell command", "quirk of a provider"} <= set(rows)
    assert {"Bot API method", "job", "text", "hook"} <= set(rows)
