"""A block without an honest mark is a fault."""

from pathlib import Path

import pytest

from doc_pages.marks import ROOT, Block, fault, read_blocks


def blocks(folder: Path, text: str) -> list[Block]:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return read_blocks(page)


def fault_of(folder: Path, mark: str, language: str = "console") -> str:
    (block,) = blocks(folder, f"Text.\n\n{mark}\n```{language}\n$ true\n```\n")
    return fault(block)


@pytest.mark.parametrize(
    ("mark", "language"),
    [
        ("<!-- run -->", "console"),
        ("<!--run-->", "sh"),
        ("<!-- run -->", "toml"),
        ("<!-- run: exit 1 -->", "console"),
        ("<!-- run: chat -->", "text"),
        ("<!-- file: deploy/compose.yaml -->", "yaml"),
        ("<!-- not run: needs a real server -->", "nginx"),
        ("<!-- not run: needs a server\nwith systemd -->", "ini"),
        ("<!-- tested by: tests/docs/test_block_marks.py::fault_of -->", "text"),
    ],
)
def test_a_mark_is_enough(tmp_path: Path, mark: str, language: str) -> None:
    assert fault_of(tmp_path, mark, language) == ""


@pytest.mark.parametrize(
    ("mark", "language", "reason"),
    [
        ("", "console", "it has no mark"),
        ("<!-- a remark -->", "console", "it has no mark"),
        ("<!-- run -->\n", "console", "it has no mark"),
        ("<!-- run -->", "", "name its language"),
        ("<!-- run -->", "nginx", "can't be run"),
        ("<!-- run -->", "text", "can't be run"),
        ("<!-- run: chat -->", "console", "a conversation is text"),
        ("<!-- run: twice -->", "console", "unknown: twice"),
        ("<!-- run: exit 1 -->", "toml", "unknown: exit 1"),
        ("<!-- not run -->", "console", "say why"),
        ("<!-- not run: no -->", "console", "say why"),
        ("<!-- file -->", "toml", "name the file"),
        ("<!-- file: two names -->", "toml", "name the file"),
        ("<!-- tested by: tests/missing.py -->", "toml", "there is no tests/missing.py"),
        ("<!-- tested by: tests/test_smoke.py::test_missing -->", "toml", "doesn't name test_missing"),
        ("<!-- tested by: tests/test_smoke.py -->", "toml", "doesn't name page.md"),
    ],
)
def test_a_mark_that_is_none_is_a_fault(tmp_path: Path, mark: str, language: str, reason: str) -> None:
    assert reason in fault_of(tmp_path, mark, language)


def test_an_indented_block_is_a_fault(tmp_path: Path) -> None:
    (block,) = blocks(tmp_path, "Text.\n\n<!-- run -->\n\n    tgllm run\n")

    assert fault(block) == "fence it and name its language"


def test_blocks_in_lists_and_quotes_count(tmp_path: Path) -> None:
    found = blocks(tmp_path, "1. One:\n\n   <!-- run -->\n   ```sh\n   true\n   ```\n\n> ```sh\n> false\n> ```\n")

    assert [(block.mark, block.text) for block in found] == [("run", "true\n"), (None, "false\n")]


def test_a_diagram_is_no_code(tmp_path: Path) -> None:
    assert blocks(tmp_path, "```mermaid\nflowchart LR\n```\n") == []


def test_the_place_is_that_in_the_repository() -> None:
    first = read_blocks(ROOT / "docs" / "tutorial" / "first-plugin.md")[0]

    assert first.place.startswith("docs/tutorial/first-plugin.md:")
