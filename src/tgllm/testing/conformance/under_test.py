"""Base class of the services that the kit tests providers with."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from tgllm.api.errors import ProviderError
from tgllm.api.events import ToolCall
from tgllm.api.types import FinishReason, ModelInfo, ToolCallPart, ToolResultPart, Usage
from tgllm.testing.conformance.tools_seen import SeenTools

__all__ = ["ProviderUnderTest"]


class ProviderUnderTest:
    """The service of a provider, controlled by the kit's tests. Subclass it for your own service.

    The kit creates one for each test, enters it, loads the plugin with its ``settings``, and closes it at the end. By
    default the service must answer with the text of the question. Methods for what a service can't do stay as they are
    here and raise NotImplementedError. The tests that need ``answer`` without ``finish``, ``stall``, ``cut``, ``fail``,
    ``saw``, ``saw_file`` or the counts of streams and connections fail then: exempt them, with that reason. Those that
    need any other operation are skipped, with a warning that names the operation to override.
    """

    model: ClassVar[str]
    """Id of a model of the service; a reasoning model if there is one."""
    key_setting: ClassVar[str] = "api_key"
    """Field of the plugin's settings with the key; a value inside a table is named with a dot."""
    address_setting: ClassVar[str] = "base_url"
    """Field of the plugin's settings with the address of the service."""
    counts: ClassVar[frozenset[str]] = frozenset()
    """Fields of ``Usage`` that the service reports, such as ``cached_tokens``; empty if that is not known."""

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

    @property
    def call_forms(self) -> frozenset[str]:
        """Return the forms in which the service can stream calls of tools, besides the usual one."""
        return frozenset()

    def addresses(self) -> Mapping[str, Mapping[str, object]]:
        """Return other settings that lead to the same service, by a name: by default a slash after the address."""
        address = self.settings.get(self.address_setting)
        if not isinstance(address, str):
            return {}
        return {"a slash at the end": {**self.settings, self.address_setting: f"{address.rstrip('/')}/"}}

    def answer(
        self, *pieces: str, reasoning: str = "", usage: Usage | None = None, finish: FinishReason | None = None
    ) -> None:
        """Set the next answer: the reasoning, if any, then these pieces of text, then this usage and reason of its end.

        A piece may be empty. ``finish`` None is an ordinary end.

        Raises:
            NotImplementedError: the service has no such reason; its test is passed over.
        """
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

    def break_with(self, form: str, *pieces: str) -> None:
        """Order an answer that starts with these pieces and then breaks in a form of ``BREAKS`` of the fake providers.

        Raises:
            NotImplementedError: the service has no such form; it is passed over.
        """
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

    def call(
        self,
        *calls: ToolCall,
        text: str = "",
        reasoning: str = "",
        form: str = "",
        finish: FinishReason | None = None,
        cut: bool = False,
    ) -> None:
        """Set the next answer: the reasoning and the text, if any, then calls of tools, all at once.

        Args:
            calls: the calls; one without an id gets one of the service's. The arguments need not be JSON.
            text: what is said before.
            reasoning: what is thought before.
            form: how the calls are streamed, one of ``call_forms``; empty: the usual way.
            finish: None: the usual end of an answer with calls; ``stop``: that of an answer without calls.
            cut: whether the connection is closed after the calls, without an end.

        Raises:
            NotImplementedError: the service can't send such calls; the test, or this case of it, is passed over.
        """
        raise NotImplementedError

    def deviate_with_calls(self, name: str, *calls: ToolCall) -> None:
        """Order a complete answer with these calls, sent with a deviation of ``DEVIATIONS`` of the fake providers.

        Raises:
            NotImplementedError: the service has no such deviation; it is passed over.
        """
        raise NotImplementedError

    def refuse_tools(self) -> None:
        """Refuse requests with tools from now on, as the service does for a model that can't call them.

        Raises:
            NotImplementedError: all models of the service can.
        """
        raise NotImplementedError

    def saw_tools(self) -> SeenTools:
        """Return the tools in the last request for an answer."""
        raise NotImplementedError

    def saw_calls(self) -> Sequence[ToolCallPart | ToolResultPart]:
        """Return the calls and results in the messages of the last request for an answer, in order.

        The ids are those that the service got; a service without ids gets equal ones for a call and its result. A name
        or a text that the service's format does not have is empty; ``is_error`` need not be set.
        """
        raise NotImplementedError

    def respond(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, skip: int = 0
    ) -> None:
        """Send this response to every request from now on, of any kind, after the next ``skip`` requests."""
        raise NotImplementedError

    def models(self) -> Sequence[ModelInfo]:
        """Return all chat models that the service offers from now on, as ``list_models`` has to return them.

        Let them be more than one page, and let the service offer what is no chat model as well. Fields with their
        default are not compared; the models are known by any of their names.
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

    def saw_roles(self) -> Sequence[tuple[str, str]]:
        """Return role and text of each message of the last request for an answer, in order, the system message first.

        A role is ``system``, ``user`` or ``assistant``.
        """
        raise NotImplementedError

    def sent(self) -> object:
        """Return the body of the last request for an answer as JSON values, such as a dict.

        The tests look for settings and the order of parts in it.
        """
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
