"""Pages of the documentation, and the code on them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def read_page(page: str) -> str:
    """Read a page, named by its path in docs/."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, language: str = "python") -> list[str]:
    """The blocks of code in a language on a page, named by its path in docs/."""
    return re.findall(rf"```{language}\n(.*?)```", read_page(page), re.DOTALL)
