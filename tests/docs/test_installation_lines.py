"""The packages are on no index yet, so that pages install them from a clone."""

import re
from pathlib import Path

import pytest

from check_links import MARKDOWN
from doc_pages.marks import ROOT

PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/*/README.md")])
BY_NAME = re.compile(r"pip install\b[^`\n]*?(?<![\w./-])['\"]?tgllm(?:-\w+|\[[\w,]+\])*['\"]?(?![\w/])")


def sections(text: str) -> list[str]:
    """The text of each heading's part."""
    lines = text.splitlines()
    starts = [token.map[0] for token in MARKDOWN.parse(text) if token.type == "heading_open" and token.map is not None]
    return ["\n".join(lines[at:end]) for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def by_name_only(text: str) -> list[str]:
    """Lines that install a package of this repository by its name, in a part that doesn't say how to from a clone."""
    return [
        found[0] for part in sections(text) if not re.search(r"\bclone\b", part) for found in BY_NAME.finditer(part)
    ]


@pytest.mark.parametrize(
    ("line", "is_by_name"),
    [
        ("`pip install tgllm`", True),
        ("`pip install 'tgllm[files]'`", True),
        ("`pip install --upgrade tgllm tgllm-gemini`", True),
        ("`pip install 'tgllm[files,fast]' httpx`", True),
        ("`pip install -e ../tgllm-shout`", False),
        ("`pip install '.[files]' ./plugins/tgllm_mistral`", False),
        ("`pip install -c constraints.txt ./plugins/tgllm_whisper`", False),
        ("`pip install pillow-heif`; then `tgllm run`", False),
    ],
)
def test_a_line_by_name_is_recognised(line: str, *, is_by_name: bool) -> None:
    assert bool(by_name_only(f"# Page\n\n{line}\n")) == is_by_name
    assert not by_name_only(f"# Page\n\n{line}\n\nFrom a clone: `pip install .`\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_says_how_to_install_from_a_clone(page: Path) -> None:
    assert by_name_only(page.read_text(encoding="utf-8")) == []
