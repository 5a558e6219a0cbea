"""Texts that are only in memory, for messages whose outbox rows must not contain them."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["MEMORY_MARK", "MEMORY_TEXT", "MemoryTexts"]

MEMORY_TEXT: Final = "memory_text"
"""Payload key of a message with a text of ``MemoryTexts``: the name of that text."""
MEMORY_MARK: Final = "[link]"
"""Stands for the text in the stored message."""

_MOST = 1000
"""Most texts; the oldest are dropped. Each is sent within seconds, unless Telegram can't be reached."""


class MemoryTexts:
    """Texts by name. They end with the process; messages with them can't be sent any more then."""

    def __init__(self, derive: Callable[[str], str | None] = lambda _name: None) -> None:
        """Keep texts; those that are not kept are asked from ``derive``, which returns None for unknown names."""
        self._derive = derive
        self._texts: OrderedDict[str, str] = OrderedDict()

    def keep(self, name: str, text: str) -> None:
        """Keep a text for the message that names it."""
        self._texts[name] = text
        while len(self._texts) > _MOST:
            self._texts.popitem(last=False)

    def filled(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the payload of a row with its text in place of the mark; other payloads unchanged.

        Raises:
            LookupError: the text is not in memory any more.
        """
        name = payload.get(MEMORY_TEXT)
        if name is None:
            return payload
        text = self._texts.get(str(name)) or self._derive(str(name))
        if text is None:
            raise LookupError("a text of the message is not in memory any more")
        rest = {key: value for key, value in payload.items() if key != MEMORY_TEXT}
        return rest | {"text": text.join(str(payload["text"]).rsplit(MEMORY_MARK, 1))}
