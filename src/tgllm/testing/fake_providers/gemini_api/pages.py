"""Pagination of lists."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.gemini_api.errors import GeminiErrors

__all__ = ["page_of"]


def page_of(
    name: str, items: Sequence[dict[str, Any]], query: Mapping[str, str], *, default: int, limit: int
) -> dict[str, Any]:
    """Return the page for ``pageSize`` and ``pageToken``, with its items under ``name``.

    ``default`` and ``limit`` are page sizes. Raises Refusal for an invalid token.
    """
    size = min(int(query.get("pageSize") or default), limit)
    start = _place(query.get("pageToken", ""))
    page: dict[str, Any] = {name: list(items[start : start + size])}
    if start + size < len(items):
        page["nextPageToken"] = base64.urlsafe_b64encode(f"after:{start + size}".encode()).decode()
    return page


def _place(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("after:"))
    except (binascii.Error, ValueError):
        raise Refusal(GeminiErrors().invalid("Invalid page token.")) from None
