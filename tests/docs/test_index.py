"""Every page of the documentation is listed by one index, from which the site makes its navigation."""

from collections import Counter
from pathlib import Path

import pytest

from site_pages import indexes, listed, site_pages

ROOT = Path(__file__).resolve().parents[2]
START = Path("docs/README.md")


def misplaced(root: Path) -> dict[str, int]:
    """The pages that are not listed exactly once, with the number of lists they are in."""
    lists = Counter(page for index in indexes(root) for page in listed(root, index))
    return {page.as_posix(): lists[page] for page in site_pages(root) if lists[page] != 1 and page != START}


def test_every_page_is_listed_once() -> None:
    assert misplaced(ROOT) == {}, "list the page in the README.md of its folder, and nowhere else as the first link"


def test_the_start_is_not_listed() -> None:
    assert START not in [page for index in indexes(ROOT) for page in listed(ROOT, index)]


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("- [a](a.md): see [b](b.md)\n- [b](b.md)", {}),
        ("- [a](a.md)", {"docs/b.md": 0}),
        ("- [a](a.md)\n- [b](b.md)\n\n[b](b.md) as prose", {}),
        ("- [a](a.md)\n- [b](b.md)\n- [b](b.md)", {"docs/b.md": 2}),
        ("| what | read |\n| --- | --- |\n| one | [a](a.md) |\n| two | [b](b.md) |", {}),
        ("- [a](a.md)\n- [part](b.md#part)", {"docs/b.md": 0}),
        ("- [elsewhere](https://example.org/b.md)\n- [a](a.md)", {"docs/b.md": 0}),
        ("- `[b](b.md)`\n- [a](a.md)", {"docs/b.md": 0}),
    ],
)
def test_the_first_link_of_an_item_or_a_row_counts(tmp_path: Path, text: str, lists: dict[str, int]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README.md").write_text(f"# Start\n\n{text}\n")
    (tmp_path / "docs" / "a.md").write_text("# A\n\n- [b](b.md)\n")
    (tmp_path / "docs" / "b.md").write_text("# B\n")

    assert misplaced(tmp_path) == lists
