"""Checks of replies, which plugins may make without a type checker."""

import json
from pathlib import Path
from typing import Final, cast, get_args
from urllib.parse import urlsplit

from tgllm.api import Button, OutgoingFile, Pressers, Reply
from tgllm.db.engine.json_depth import check_depth
from tgllm.observe.visible import UNSAFE

__all__ = ["MOST_BUTTONS", "MOST_DATA_BYTES", "MOST_IN_ROW", "fault_of"]

MOST_BUTTONS: Final = 100
"""Most buttons of a message. Bot API server: inline keyboards."""
MOST_IN_ROW: Final = 8
"""Most buttons in a row. Bot API server: inline keyboards."""
MOST_ID: Final = 64
MOST_DATA_BYTES: Final = 4096
"""Most bytes of a button's data as JSON."""

_PRESSERS: Final = frozenset(get_args(Pressers))
_FILE_FIELDS: Final = "content", "name", "mime_type"
_SCHEMES: Final = frozenset({"http", "https", "tg"})


def fault_of(reply: object, *, handles_presses: bool = True) -> str | None:
    """Return what is wrong with a reply, as the end of a sentence such as "it returned"; None if nothing is.

    Args:
        reply: as a plugin has made it.
        handles_presses: whether the plugin has ``tgllm_button``.
    """
    if not isinstance(reply, Reply):
        return f"a {type(reply).__name__} instead of a Reply"
    text, files, buttons = (getattr(reply, name) for name in ("text", "files", "buttons"))
    if not isinstance(text, str):
        return f"a {type(text).__name__} as the text of a Reply"
    return _fault_of_files(files) or _fault_of_buttons(buttons, handles_presses=handles_presses)


def _fault_of_files(files: object) -> str | None:
    if not isinstance(files, list | tuple):
        return f"a {type(files).__name__} as the files of a Reply"
    for file in cast("list[object]", files):
        if not isinstance(file, OutgoingFile):
            return f"a {type(file).__name__} where an OutgoingFile belongs"
        content, name, mime_type = (getattr(file, field) for field in _FILE_FIELDS)
        if not (isinstance(content, bytes | Path) and isinstance(name, str) and isinstance(mime_type, str)):
            return "an OutgoingFile with fields of wrong types"
    return None


def _fault_of_buttons(rows: object, *, handles_presses: bool) -> str | None:
    if not isinstance(rows, list | tuple):
        return f"a {type(rows).__name__} as the buttons of a Reply"
    count = 0
    for row in cast("list[object]", rows):
        if not isinstance(row, list | tuple):
            return f"a {type(row).__name__} where a row of buttons belongs"
        buttons = cast("list[object]", row)
        if not 1 <= len(buttons) <= MOST_IN_ROW:
            return f"a row with the number of buttons {len(buttons)} instead of 1 to {MOST_IN_ROW}"
        count += len(buttons)
        for button in buttons:
            fault = _fault_of_button(button)
            if fault is not None:
                return fault
            if not handles_presses and cast("Button", button).id:
                return "a button, and the plugin has no tgllm_button to handle a press"
    return f"more buttons ({count}) than a message can have ({MOST_BUTTONS})" if count > MOST_BUTTONS else None


def _fault_of_button(button: object) -> str | None:
    if not isinstance(button, Button):
        return f"a {type(button).__name__} where a Button belongs"
    text, name, url, pressers = (getattr(button, field) for field in ("text", "id", "url", "pressers"))
    if not (isinstance(text, str) and isinstance(name, str) and isinstance(url, str)):
        return "a Button with fields of wrong types"
    if not UNSAFE.sub("", text).strip():
        return "a Button without a visible text"
    if bool(name) is bool(url):
        return f"a Button {text!r} with {'both' if name else 'neither'} an id {'and' if name else 'nor'} a url"
    if len(name) > MOST_ID:
        return f"a Button whose id has more than {MOST_ID} characters"
    if not isinstance(pressers, str) or pressers not in _PRESSERS:
        return f"a Button with pressers={pressers!r} instead of {' or '.join(sorted(_PRESSERS))}"
    return _fault_of_url(url) if url else _fault_of_data(name, button.data)


def _fault_of_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in _SCHEMES and bool(parts.netloc) and not any(sign.isspace() for sign in url)
    except ValueError:
        is_good = False
    return None if is_good else f"a Button with the url {url[:100]!r}, which Telegram does not take"


def _fault_of_data(name: str, data: object) -> str | None:
    try:
        check_depth(data)
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode(errors="surrogatepass"))
    except (TypeError, ValueError, RecursionError) as error:
        return f"a Button {name!r} whose data is no JSON: {error}"
    return f"a Button {name!r} with more than {MOST_DATA_BYTES} bytes of data" if size > MOST_DATA_BYTES else None
