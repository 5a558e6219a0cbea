"""Journal of Bot API calls, with parameters, time and result."""

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
    ``status`` is the HTTP status, 0 for a cut connection, None before the response;
    ``error`` is Telegram's description of the error. Secrets in ``params`` are masked, files are
    shown by name and size in bytes.
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
        """Whether the response had status 200."""
        return self.status == 200


class Journal(Sequence[Call]):
    """Calls in order of arrival; the oldest are dropped above ``limit``."""

    def __init__(self, limit: int = 100_000) -> None:
        self._calls: deque[Call] = deque(maxlen=limit)
        self.total = 0

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        """Return the call or the calls at an index or slice."""
        return list(self._calls)[index] if isinstance(index, slice) else self._calls[index]

    def __len__(self) -> int:
        """Return the number of stored calls."""
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        """Iterate over the stored calls, oldest first."""
        return iter(tuple(self._calls))

    def open(self, bot_id: int, method: str, params: Mapping[str, Any], at: float) -> Call:
        """Record an incoming request."""
        self.total += 1
        shown = {name: _shown(name, value) for name, value in params.items()}
        call = Call(self.total, bot_id, method, shown, params.get("chat_id"), at)
        self._calls.append(call)
        return call

    def of(self, *methods: str, chat_id: int | None = None) -> list[Call]:
        """Return the calls of these methods (default: all methods), and of this chat if given."""
        return [
            call
            for call in self._calls
            if (not methods or call.method in methods) and (chat_id is None or call.chat_id == chat_id)
        ]

    def clear(self) -> None:
        """Delete the calls; ``total`` is unchanged."""
        self._calls.clear()


def _shown(name: str, value: object) -> object:
    """Return a parameter for the journal: secrets masked, a file as its name and size."""
    if name in _SECRET:
        return "***"
    return value if type(value) in _JSON else str(value)
