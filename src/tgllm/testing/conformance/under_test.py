"""Base class of the services that the kit tests providers with."""

from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

from tgllm.api.errors import ProviderError
from tgllm.api.types import Usage

__all__ = ["ProviderUnderTest"]


class ProviderUnderTest:
    """The service of a provider, controlled by the kit's tests. Subclass it for your own service.

    The kit creates one for each test, enters it, loads the plugin with its ``settings``, and closes it at the end. By
    default the service must answer with the text of the question. Methods for what a service can't do stay as they are
    here and raise NotImplementedError; exempt the tests that need them, with that reason. Tests that need
    ``fail_midway``, ``end_early``, ``deviate``, ``fail_in_place`` or ``count_questions`` are skipped instead.
    """

    model: ClassVar[str]
    """Id of a model of the service; a reasoning model if there is one."""
    key_setting: ClassVar[str] = "api_key"
    """Field of the plugin's settings with the key."""

    @property
    def settings(self) -> Mapping[str, object]:
        """Return the plugin's settings for this service: usually its key and base URL."""
        return {}

    @property
    def open_streams(self) -> int:
        """Return the number of answers that the service is writing."""
        raise NotImplementedError

    @property
    def open_connections(self) -> int:
        """Return the number of open connections from the provider, including idle ones."""
        raise NotImplementedError

    def answer(self, *pieces: str, reasoning: str = "", usage: Usage | None = None) -> None:
        """Set the next answer: the reasoning, if any, then these pieces of text, then this usage."""
        raise NotImplementedError

    def stall(self, *pieces: str) -> None:
        """Set the next answer to one that starts with these pieces and then stops without an end."""
        raise NotImplementedError

    def cut(self, *pieces: str) -> None:
        """Set the next answer to one that starts with these pieces, then its connection is closed without an end."""
        raise NotImplementedError

    def fail(self, kind: type[ProviderError], retry_after: float | None = None) -> None:
        """Respond to every request from now on with the service's response for this error.

        ``retry_after`` is the delay in seconds that the service asks for; only for RateLimited.
        """
        raise NotImplementedError

    def fail_midway(self, kind: type[ProviderError], *pieces: str) -> None:
        """Order an answer that starts with these pieces and then fails in the service's way for ``kind``."""
        raise NotImplementedError

    def end_early(self, *pieces: str) -> None:
        """Order an answer that starts with these pieces and whose stream then ends normally, but too early."""
        raise NotImplementedError

    def deviate(self, name: str, *pieces: str) -> None:
        """Order a complete answer with these pieces, sent with a deviation of ``DEVIATIONS`` of the fake providers.

        Raises:
            NotImplementedError: the service has no such deviation; it is passed over.
        """
        raise NotImplementedError

    def fail_in_place(self, form: str, words: str) -> None:
        """Send an error with these words in place of every answer from now on, in a form of ``ERROR_FORMS``.

        The status is 200.

        Raises:
            NotImplementedError: the service has no such form; it is passed over.
        """
        raise NotImplementedError

    def count_questions(self) -> int:
        """Return the number of requests for an answer, including failed ones."""
        raise NotImplementedError

    def saw(self, text: str) -> bool:
        """Return whether the last request for an answer contained this text."""
        raise NotImplementedError

    def saw_file(self, content: bytes) -> bool:
        """Return whether the last request for an answer contained this file, or referred to an upload of it."""
        raise NotImplementedError

    def to_replay(self) -> str | None:
        """Return a text of the last answer that the next request must contain, such as reasoning, or None."""
        return None

    async def __aenter__(self) -> Self:
        """Start the service."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the service."""
