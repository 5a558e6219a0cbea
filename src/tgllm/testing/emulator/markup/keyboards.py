"""Validation of reply_markup. Source: Bot API, InlineKeyboardMarkup and InlineKeyboardButton."""

from typing import Any, cast

from tgllm.testing.emulator.markup.links import is_link
from tgllm.testing.emulator.markup.text import utf16_len
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["check_markup"]

_KEYBOARDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")
_ACTIONS = frozenset(
    {
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
        "disabled",
    }
)
_MAX_CALLBACK_BYTES = 64
_MAX_COPY_UNITS = 256
_MAX_BUTTONS = 100


def check_markup(markup: object) -> dict[str, Any] | None:
    """Return the markup without empty rows, or None if it is empty. Raises BotApiError 400."""
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    body = cast("dict[str, Any]", markup)
    if not any(name in body for name in _KEYBOARDS):
        return None
    rows = body.get("inline_keyboard")
    if rows is None:
        return body
    _check_rows(rows)
    filled = [row for row in rows if row]
    return {**body, "inline_keyboard": filled} if filled else None


def _check_rows(rows: object) -> None:
    if not isinstance(rows, list):
        raise bad_request("can't parse inline keyboard: field must be an Array")
    buttons: list[object] = []
    for row in cast("list[object]", rows):
        if not isinstance(row, list):
            raise bad_request("can't parse inline keyboard: row must be an Array")
        buttons.extend(cast("list[object]", row))
    if len(buttons) > _MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        _check_button(button)


def _check_button(button: object) -> None:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: must be an Object")
    body = cast("dict[str, Any]", button)
    if not str(body.get("text", "")).strip():
        raise bad_request("can't parse inline keyboard button: text is empty")
    if not _ACTIONS & body.keys():
        raise bad_request("text buttons are unallowed in the inline keyboard")
    data = body.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= _MAX_CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    url = body.get("url")
    if url is not None and not is_link(str(url)):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    copied = body.get("copy_text")
    if copied is not None and not 1 <= utf16_len(_copied_text(copied)) <= _MAX_COPY_UNITS:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _copied_text(copied: object) -> str:
    return str(cast("dict[str, Any]", copied).get("text", "")) if isinstance(copied, dict) else ""
