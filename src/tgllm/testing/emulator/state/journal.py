"""What was called, with which parameters, when, and how it ended."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

__all__ = ["Call", "Journal"]

_SECRET = frozenset({"secret_token", "provider_token"})
_JSON = frozenset({str, int, float, bool, list, dict})


@dataclass(slots=True, eq=False)
class Call:
    """One request.

    ``method`` is spelled as in the Bot API; ``at`` is the server clock's monotonic time in seconds;
    ``status`` is the HTTP status, 0 when the connection was cut, None while it is being answered;
    ``error`` is Telegram's description of what was wrong. Secrets in ``params`` are masked, files
    are told by name and size in bytes.
    """

    number: int
    bot_id: int
    method: str
    params: Mapping[str, Any]
    chat_id: int | str | None
    at: float
    status: int | None = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it was answered with 200."""
        return self.status == 200


class Journal(Sequence[Call]):
    """The calls in the order of their arrival; the oldest are forgotten above ``limit``."""

    def __init__(self, limit: int = 100_000) -> None:
        self._calls: deque[Call] = deque(maxlen=limit)
        self.total = 0

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        """The call, or the calls, at a place."""
        return list(self._calls)[index] if isinstance(index, slice) else self._calls[index]

    def __len__(self) -> int:
        """How many calls are kept."""
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        """The kept calls, oldest first."""
        return iter(tuple(self._calls))

    def open(self, bot_id: int, method: str, params: Mapping[str, Any], at: float) -> Call:
        """Note a request that has arrived."""
        self.total += 1
        shown = {name: _shown(name, value) for name, value in params.items()}
        call = Call(self.total, bot_id, method, shown, params.get("chat_id"), at)
        self._calls.append(call)
        return call

    def of(self, *methods: str, chat_id: int | None = None) -> list[Call]:
        """The calls of these methods (of all when none is named), in this chat if one is named."""
        return [
            call
            for call in self._calls
            if (not methods or call.method in methods) and (chat_id is None or call.chat_id == chat_id)
        ]

    def clear(self) -> None:
        """Forget the calls; ``total`` goes on."""
        self._calls.clear()


def _shown(name: str, value: object) -> object:
    """A parameter without secrets; a file as its name and size."""
    if name in _SECRET:
        return "***"
    return value if type(value) in _JSON else str(value)
