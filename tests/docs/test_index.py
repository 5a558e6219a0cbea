"""Every page of the documentation can be reached from its start."""

from pathlib import Path

import pytest

from check_links import links, markdown_files

DOCS = Path(__file__).resolve().parents[2] / "docs"


def unreachable(docs: Path) -> list[str]:
    """The pages that no chain of links leads to from the start page."""
    reached: set[Path] = set()
    waiting = [docs / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [path for link in links(page) if (path := linked_page(page, link)).is_file()]
    return sorted(str(page.relative_to(docs)) for page in set(markdown_files(docs)) - reached)


def linked_page(page: Path, link: str) -> Path:
    target = (page.parent / link.partition("#")[0]).resolve()
    return target if target.suffix == ".md" else target / "not a page"


def test_every_page_is_reached() -> None:
    assert unreachable(DOCS) == [], "link the page from the README.md of its folder"


@pytest.mark.parametrize(("link", "missing"), [("a.md", []), ("a.md#part", []), ("b.md", ["a.md"])])
def test_a_page_without_a_link_is_told(tmp_path: Path, link: str, missing: list[str]) -> None:
    (tmp_path / "README.md").write_text(f"[text]({link})\n")
    (tmp_path / "a.md").write_text("[back](README.md)\n")

    assert unreachable(tmp_path) == missing
