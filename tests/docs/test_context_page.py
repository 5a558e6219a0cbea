"""The map of the folders in CONTEXT.md is that of the tree."""

import re
from pathlib import Path

from architecture import FLOORS

ROOT = Path(__file__).resolve().parents[2]


def mapped() -> set[str]:
    """The paths in the first column of the map."""
    _, _, rest = (ROOT / "CONTEXT.md").read_text().partition("## Where things are")
    section, _, _ = rest.partition("\n## ")
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {path.rstrip("/") for row in rows for path in re.findall(r"`([^`]+)`", row)}


def test_everything_on_the_map_exists() -> None:
    assert [path for path in sorted(mapped()) if not (ROOT / path).exists()] == []


def test_every_part_of_the_package_is_on_the_map() -> None:
    parts = {f"src/tgllm/{path.name}" for path in (ROOT / "src" / "tgllm").iterdir() if any(path.rglob("*.py"))}

    assert parts
    assert sorted(parts - mapped()) == []


def test_the_floors_are_those_that_are_checked() -> None:
    import_order = re.search(r"^    (cli -> .*)$", (ROOT / "CONTEXT.md").read_text(), re.MULTILINE)

    assert import_order is not None
    assert [set(floor.split(" | ")) for floor in import_order[1].split(" -> ")] == [
        floor for floor in reversed(FLOORS) if floor != {"__main__"}
    ]
