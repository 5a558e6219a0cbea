"""How the kit reaches a provider and the service behind it."""

from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

from tgllm.api.errors import ProviderError
from tgllm.api.types import Usage

__all__ = ["ProviderUnderTest"]


class ProviderUnderTest:
    """A provider's service, as the kit's tests order it about. Subclass it for a service of your own.

    The kit makes one for each test, enters it, loads the plugin with its ``settings``, and closes it at the end. The
    service must give back the question's text as the answer when nothing else was ordered. What a service can't do is
    left as it is here, where it raises NotImplementedError, and the tests that need it are exempted with that reason.
    """

    model: ClassVar[str]
    """A model that the service has. One that thinks, if there is one."""
    key_setting: ClassVar[str] = "api_key"
    """The field of the plugin's settings that holds the key."""

    @property
    def settings(self) -> Mapping[str, object]:
        """The plugin's settings, with which the provider reaches this service: its key and address, as a rule."""
        return {}

    @property
    def open_streams(self) -> int:
        """Answers that the service is writing now."""
        raise NotImplementedError

    @property
    def open_connections(self) -> int:
        """Connections that the provider holds open, idle ones included."""
        raise NotImplementedError

    def answer(self, *pieces: str, reasoning: str = "", usage: Usage | None = None) -> None:
        """Order the next answer: the reasoning first, if any, then these pieces of text, then this usage."""
        raise NotImplementedError

    def stall(self, *pieces: str) -> None:
        """Order an answer that begins with these pieces and then neither goes on nor ends."""
        raise NotImplementedError

    def cut(self, *pieces: str) -> None:
        """Order an answer that begins with these pieces and then breaks off without an end."""
        raise NotImplementedError

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        """From now on do to every request what the service does in such a case.

        ``retry_after`` is the wait that the service asks for, in seconds; it comes with RateLimited only.
        """
        raise NotImplementedError

    def saw(self, text: str) -> bool:
        """Whether the last request for an answer carried this text."""
        raise NotImplementedError

    def saw_file(self, content: bytes) -> bool:
        """Whether the last request carried this file, or named one that was uploaded before."""
        raise NotImplementedError

    def to_replay(self) -> str | None:
        """A text of the last answer that the service wants back in the next request, such as its reasoning; or None."""
        return None

    async def __aenter__(self) -> Self:
        """Start the service."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
