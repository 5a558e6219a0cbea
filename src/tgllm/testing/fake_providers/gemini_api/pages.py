"""Lists that come in pages."""

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
    """The page that ``pageSize`` and ``pageToken`` ask for, under ``name``.

    ``default`` and ``limit`` are numbers of items on a page. Raises Refusal for a token that was not given out.
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
