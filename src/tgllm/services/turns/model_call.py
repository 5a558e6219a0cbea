"""Call of a model: collects its stream in an answer, with an idle timeout and a handle to stop it."""

import asyncio
from collections.abc import Awaitable, Callable

from tgllm.api import (
    ChatRequest,
    ContextTooLong,
    ModelRef,
    ProviderError,
    StreamEvent,
    TgllmError,
    Unavailable,
)
from tgllm.api.clock import Clock
from tgllm.observe.logs import get_logger
from tgllm.plugins.calls.outcome import Raised, Returned, contract_error, explain
from tgllm.services.conversations.history import with_less_history
from tgllm.services.conversations.request import RequestBuilder
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import ShownEvent
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.patience import Patience, RetryLimit
from tgllm.services.turns.provider_stream import Streams
from tgllm.services.turns.report import reported_request
from tgllm.services.turns.running import RunningTurn

__all__ = ["ModelCaller", "Show"]

log = get_logger(__name__)

Show = Callable[[ShownEvent], None]
"""Callback for each event; it must not block."""
Shorten = Callable[[ChatRequest], Awaitable[ChatRequest | None]]
"""Returns a shorter request for one that was too long; None if there is none."""
Take = Callable[[StreamEvent], None]


class ModelCaller:
    """Calls models. Closing it cancels streams that are still running after their timeout."""

    def __init__(
        self, registry: ProviderRegistry, requests: RequestBuilder, settings: TurnSettings, clock: Clock
    ) -> None:
        """Create the caller.

        Args:
            registry: registry of the providers.
            requests: calibrates its token estimates by the providers' counts.
            settings: timeouts.
            clock: measures the wait for text.
        """
        self._registry = registry
        self._requests = requests
        self._idle_seconds = settings.idle_seconds
        self._wait_seconds = settings.wait_seconds
        self._clock = clock
        self._streams = Streams(settings.close_seconds, clock)

    async def aclose(self) -> None:
        """Cancel streams that are still running after their timeout."""
        await self._streams.aclose()

    async def ask(
        self,
        request: ChatRequest,
        answer: Answer,
        show: Show,
        handle: RunningTurn,
        shorten: Shorten | None = None,
        retries: RetryLimit | None = None,
    ) -> None:
        """Call the model; if the request is too long for it, repeat the call once with a shorter one.

        Args:
            request: the request.
            answer: collects the events.
            show: called for each event.
            handle: handle to stop the turn.
            shorten: makes the shorter request; None: history is left out.
            retries: limits the provider's retries; None: it makes all of them.

        Raises:
            TimeoutError: the provider was idle for too long, or the turn was stopped.
            TgllmError: the call failed.
        """
        if handle.cause is not None:
            raise TimeoutError
        try:
            with reported_request(answer, handle, self._clock, 1):
                await self._generate(request, answer, show, handle, retries)
        except ContextTooLong as error:
            if not answer.is_empty:
                raise
            shorter = with_less_history(request) if shorten is None else await shorten(request)
            if shorter is None:
                raise
            log.info("turn.shortened", model=str(answer.model), messages=len(request.messages) - len(shorter.messages))
            answer.begin_again(error)
            request = shorter
            with reported_request(answer, handle, self._clock, 2):
                await self._generate(request, answer, show, handle, retries)
        self._requests.learn(answer.model, request, answer.usage)

    def cut(self, answer: Answer, handle: RunningTurn) -> None:
        """Set the status of an answer that ended with ``TimeoutError``: stopped, too long, or idle timeout."""
        match handle.cause:
            case "person":
                answer.stop("stopped")
            case "shutdown":
                answer.stop("interrupted")
            case "length":
                # The answer itself knows that it was cut.
                pass
            case None:
                answer.fail(_silent(answer.model, self._idle_seconds))

    async def _generate(
        self, request: ChatRequest, answer: Answer, show: Show, handle: RunningTurn, retries: RetryLimit | None
    ) -> None:
        """Pass the provider's events to the answer and to ``show``.

        Raises:
            TimeoutError: the turn was stopped.
            Unavailable: the provider was idle for too long, or sent no text for too long.
            TgllmError: the call failed.
        """
        patience = Patience(self._idle_seconds, self._wait_seconds, self._clock)
        try:
            played = await self._play(request, answer, _taker(patience, answer, show, handle, retries), handle)
        except TimeoutError:
            if handle.cause is None:
                raise _silent(answer.model, patience.seconds) from None
            raise
        match played:
            case Raised() if answer.is_over_limit:
                raise TimeoutError
            case Raised(error):
                raise _of_contract(answer.model, error) from error
            case Returned(finished) if not finished:
                raise ProviderError(f"{answer.model} ended without a Finished event", code="bad_response")
            case _:
                pass

    async def _play(
        self, request: ChatRequest, answer: Answer, take: Take, handle: RunningTurn
    ) -> Returned[bool] | Raised:
        """Call the provider.

        Raises:
            TimeoutError: a deadline of ``handle`` has passed, or the turn was stopped.
            TgllmError: the provider can't be created.
        """
        async with asyncio.timeout(None) as deadline:
            with handle.interruptible(deadline):
                # Creating a provider has its own timeout (importing an SDK is slow); the idle timeout starts after it.
                provider = await self._registry.provider(answer.model.provider)
                handle.extend(self._idle_seconds)
                answer.ask(request)
                return await self._streams.play(lambda: provider.generate(request), take)


def _taker(patience: Patience, answer: Answer, show: Show, handle: RunningTurn, retries: RetryLimit | None) -> Take:
    def take(event: StreamEvent) -> None:
        handle.extend(patience.after(event))
        if retries is not None and not answer.has_content:
            retries.note(event)
        for shown in answer.add(event):
            show(shown)
        if answer.is_over_limit:
            handle.stop("length")
            # Ends the stream at once, even if the provider never suspends and the deadline can't expire.
            raise TimeoutError

    return take


def _silent(model: ModelRef, seconds: float) -> Unavailable:
    return Unavailable(f"{model} sent no text for {seconds:g} s", code="idle", seconds=seconds)


def _of_contract(model: ModelRef, error: BaseException) -> TgllmError:
    """Return an error of the provider contract; other exceptions are converted."""
    sound = contract_error(error)
    if sound is not None:
        return sound
    words = f"{model} raised {explain(error)}"
    if isinstance(error, TimeoutError | OSError):
        return Unavailable(words)
    return ProviderError(words, code="provider_broken", provider=model.provider)
