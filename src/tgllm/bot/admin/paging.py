"""Lists in pages: the page stands behind the rest of an argument, as in ``/admin users pending #3``."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tgllm.bot.admin.screen import admin_button
from tgllm.bot.ui.keyboards import PAGE, Button, Page, pager

__all__ = ["MOST_QUERY", "as_argument", "read_page", "split_page", "turn_pages"]

MOST_QUERY: Final = 38
"""Bytes of a text that is searched for: it must fit into a button that turns pages, behind a name of 12 bytes."""

_PAGE = re.compile(r"(?:^|\s)#(\d{1,5})\Z")

T = TypeVar("T")


def split_page(argument: str) -> tuple[str, int]:
    """The argument without its page, and the page's number from 0; the first page where none is named."""
    found = _PAGE.search(argument)
    if found is None:
        return argument.strip(), 0
    return argument[: found.start()].strip(), max(0, int(found[1]) - 1)


def as_argument(text: str) -> str:
    """As much of a text as fits into a button, on one line."""
    return " ".join(text.split()).encode()[:MOST_QUERY].decode(errors="ignore").strip()


def read_page(total: int, number: int, fetch: Callable[[int, int], Sequence[T]]) -> Page[T]:
    """A page of a list that is read in parts; the last one where there are not so many.

    Args:
        total: entries in all.
        number: from 0.
        fetch: gives so many entries, after leaving so many out.
    """
    count = max(1, -(-total // PAGE))
    number = min(number, count - 1)
    return Page(fetch(PAGE, number * PAGE), number, count)


def turn_pages(page: Page[T], name: str, rest: str = "") -> Sequence[Sequence[Button]]:
    """The row of buttons that turns the pages of an admin command; none where there is one page."""
    return pager(page, lambda number: admin_button("", name, f"{rest} #{number + 1}".strip()).data)
