"""Paged lists: the page is the end of an argument, as in ``/admin users pending #3``."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tgllm.bot.admin.screen import admin_button
from tgllm.bot.ui.keyboards import PAGE, Button, Page, pager

__all__ = ["MOST_QUERY", "as_argument", "read_page", "split_page", "turn_pages"]

MOST_QUERY: Final = 38
"""Most bytes of a search text: it must fit into a button that turns pages, after a command name of 12 bytes."""

_PAGE = re.compile(r"(?:^|\s)#(\d{1,5})\Z")

T = TypeVar("T")


def split_page(argument: str) -> tuple[str, int]:
    """Return the argument without its page, and the page's number from 0; the first page if there is none."""
    found = _PAGE.search(argument)
    if found is None:
        return argument.strip(), 0
    return argument[: found.start()].strip(), max(0, int(found[1]) - 1)


def as_argument(text: str) -> str:
    """Return a text on one line, truncated to what fits into a button."""
    return " ".join(text.split()).encode()[:MOST_QUERY].decode(errors="ignore").strip()


def read_page(total: int, number: int, fetch: Callable[[int, int], Sequence[T]]) -> Page[T]:
    """Return a page of a list that is read in parts; the last page if the number is too large.

    Args:
        total: number of all entries.
        number: number of the page, from 0.
        fetch: called with a limit and an offset; returns the entries.
    """
    count = max(1, -(-total // PAGE))
    number = min(number, count - 1)
    return Page(fetch(PAGE, number * PAGE), number, count)


def turn_pages(page: Page[T], name: str, rest: str = "") -> Sequence[Sequence[Button]]:
    """Return the row of buttons that turn the pages of an admin command; empty for a single page."""
    return pager(page, lambda number: admin_button("", name, f"{rest} #{number + 1}".strip()).data)
