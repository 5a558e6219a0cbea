"""Attempt of one model at a question: files, request, budget and call."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tgllm.api import ChatRequest, ModelRef, TextPart, TgllmError, ToolDefinition, TurnInfo, Unsupported, Waiting
from tgllm.api.clock import milliseconds
from tgllm.observe.logs import get_logger
from tgllm.observe.tracing.spans import span
from tgllm.services.budgets.reservation import Reservation
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.request import Prepared, RequestBuilder
from tgllm.services.conversations.turn import Sink, Turn, TurnOutcome
from tgllm.services.conversations.user_key import make_secret
from tgllm.services.files.attachment import Downloader
from tgllm.services.files.gathering.materials import Materials
from tgllm.services.files.gathering.receiver import Received
from tgllm.services.turns.answer import Answer
from tgllm.services.turns.model_call import ModelCaller
from tgllm.services.turns.patience import RetryLimit
from tgllm.services.turns.question_files import NO_FILES, GatheredFiles, QuestionFiles, check_usable
from tgllm.services.turns.running import RunningTurn
from tgllm.services.turns.services import TurnServices
from tgllm.services.turns.shorter_request import ShorterRequest
from tgllm.services.turns.token_count import tokens_of

if TYPE_CHECKING:
    from tgllm.services.turns.looping.turn_tools import TurnTools

__all__ = ["Asker", "Attempt", "Question", "Said"]

log = get_logger(__name__)

TOOLS_UNSUPPORTED: Final = "tools_unsupported"
"""Code of the error of a model that takes no tools."""


@dataclass(slots=True, eq=False)
class Said:
    """The texts of a turn, which are listed only if something fails."""

    question: str
    request: ChatRequest | None = None

    def __call__(self) -> Iterator[str]:
        """Yield the question, and the texts of the request, the latest first."""
        yield self.question
        for message in reversed(self.request.messages if self.request else ()):
            yield from (part.text for part in message.parts if isinstance(part, TextPart))


@dataclass(slots=True, eq=False)
class Question:
    """A question, the same for all models that are asked."""

    turn: Turn
    sink: Sink
    handle: RunningTurn
    said: Said
    downloader: Downloader | None = None
    asking: Callable[[], Awaitable[None]] | None = None
    """Awaited before a model is called for the first time."""
    received: Received | None = None
    """Its files; None before they are received."""
    tools: "TurnTools | None" = None
    """Tools that the models may call; None: none."""

    async def begin(self) -> None:
        """Note that a model is called."""
        asking, self.asking = self.asking, None
        if asking is not None:
            await asking()


@dataclass(slots=True, eq=False)
class Attempt:
    """What one model is asked, and what came."""

    turn: Turn
    """The question, with the words of its voice messages."""
    context: TurnContext
    answer: Answer
    reservation: Reservation
    gathered: GatheredFiles = NO_FILES
    prepared: Prepared | None = None
    base: ChatRequest | None = None
    """The request as plugins have changed it, without the rounds of the turn; None before it is prepared."""
    request: ChatRequest | None = None
    """What is sent: ``base``, and the rounds so far."""

    @property
    def info(self) -> TurnInfo:
        """The turn, for plugins."""
        turn = self.turn
        return TurnInfo(turn.id, turn.user, turn.chat, self.context.model, turn.text)

    def again(self, answer: Answer, reservation: Reservation) -> "Attempt":
        """Return an attempt that asks the model once more, with the calls of its answer; its files are kept."""
        answer.made = self.answer.made
        return replace(self, answer=answer, reservation=reservation, request=None)

    def outcome(self) -> TurnOutcome:
        """Return the result; the attempt is over."""
        outcome = self.answer.outcome()
        spent = tokens_of(outcome, self.answer.request)
        return replace(outcome, spent=spent, retired=self.context.retired, look=self.context.look)


class Asker:
    """Asks models."""

    def __init__(self, services: TurnServices, requests: RequestBuilder, caller: ModelCaller) -> None:
        self._database, self._clock = services.database, services.clock
        self._host = services.host
        self._requests = requests
        self._caller = caller
        self._files = QuestionFiles(services.files, services.database, requests)
        self._registry = services.registry
        self._without_tools: set[ModelRef] = set()
        """Models whose services have refused tools since the start."""

    async def prepare(self, attempt: Attempt, question: Question) -> None:
        """Receive and read the files, and build the request.

        Raises:
            TgllmError: the question can't be asked.
            TimeoutError: the turn was stopped.
        """
        if attempt.base is None:
            await self._prepare(attempt, question)
        attempt.request = question.said.request = self._extended(attempt, question)

    async def _prepare(self, attempt: Attempt, question: Question) -> None:
        turn, context = attempt.turn, attempt.context
        sink, handle = question.sink, question.handle
        if turn.attachments and question.received is None:
            # Before anything is downloaded.
            attempt.reservation.check(self._requests.estimate(context.model, turn.text))
        with span("read files") if turn.attachments or turn.file_ids else nullcontext():
            if question.received is None:
                question.received = await self._files.receive(turn, question.downloader, sink.show, handle)
            attempt.gathered = await self._files.gather(turn, context, question.received, sink.show, handle)
        attempt.turn = turn = attempt.gathered.question(turn)
        check_usable(turn, attempt.gathered)
        tools = await self._tools_for(context, question)
        context = await self._files.made_here(context)
        attempt.prepared = await self._prepared(turn, context, attempt.gathered.materials, tools)
        attempt.base = await self._host.before_request(attempt.prepared.request, attempt.info)

    def _extended(self, attempt: Attempt, question: Question) -> ChatRequest | None:
        base, tools = attempt.base, question.tools
        if base is None or tools is None:
            return base
        return tools.extended(base, attempt.context.model, self._clock.monotonic())

    async def _tools_for(self, context: TurnContext, question: Question) -> tuple[ToolDefinition, ...]:
        """Return the tools of a request; none if the model takes none.

        Raises:
            TimeoutError: the turn was stopped.
        """
        if question.tools is None or not question.tools.offer.tools:
            return ()
        if context.tools is False or context.model in self._without_tools:
            return ()
        async with asyncio.timeout(None) as deadline:
            with question.handle.interruptible(deadline):
                try:
                    provider = await self._registry.provider(context.model.provider)
                except TgllmError:
                    # The call itself will say so.
                    return ()
        # A plugin may set a value of any type.
        return question.tools.offer.definitions if provider.supports_tools is True else ()

    def check_budget(self, attempt: Attempt) -> None:
        """Check the budgets before the call of a prepared attempt; nothing is reserved.

        Raises:
            BudgetExceeded: a budget is used up, or less is left than the request needs.
        """
        if attempt.request is not None:
            attempt.reservation.check(self._requests.tokens(attempt.context.model, attempt.request))

    async def ask(
        self, attempt: Attempt, question: Question, retries: RetryLimit | None, begin: Callable[[], Awaitable[None]]
    ) -> None:
        """Call the model with the request that was prepared.

        Args:
            attempt: the attempt.
            question: the question.
            retries: limits the provider's retries; None: it makes all of them.
            begin: awaited before the call.

        Raises:
            TgllmError: a budget is used up, or the call failed.
            TimeoutError: the turn was stopped.
        """
        request, received, prepared = attempt.request, question.received, attempt.prepared
        assert request is not None and received is not None and prepared is not None  # noqa: S101, PT018  prepared before
        await self._reserve(attempt, question, request)
        await question.begin()
        await begin()
        shorter = ShorterRequest(
            self._files,
            attempt.turn,
            attempt.context,
            received,
            attempt.gathered,
            prepared.summary,
            question.sink.show,
            question.handle,
        )

        async def shorten(_request: ChatRequest) -> ChatRequest | None:
            return await self._shortened(attempt, question, shorter)

        call = partial(self._caller.ask, answer=attempt.answer, show=question.sink.show, handle=question.handle)
        try:
            await call(request, shorten=shorten, retries=retries)
        except Unsupported as error:
            if error.code != TOOLS_UNSUPPORTED or not request.tools or not attempt.answer.is_empty:
                raise
            log.warning("turn.tools_refused", model=str(attempt.context.model))
            self._without_tools.add(attempt.context.model)
            attempt.answer.begin_again(error)
            attempt.base = replace(attempt.base or request, tools=())
            again = attempt.request = self._extended(attempt, question) or request
            await call(again, shorten=shorten, retries=retries)
        attempt.gathered = shorter.gathered

    async def _shortened(self, attempt: Attempt, question: Question, shorter: ShorterRequest) -> ChatRequest | None:
        """Return a shorter request, with less of long results of tools and less history; None if nothing can be cut."""
        is_cut = question.tools is not None and question.tools.shorten()
        base = None if attempt.base is None else await shorter.make(attempt.base)
        if base is None and not is_cut:
            return None
        attempt.base = base or attempt.base
        attempt.request = self._extended(attempt, question)
        return attempt.request

    async def _reserve(self, attempt: Attempt, question: Question, request: ChatRequest) -> None:
        """Reserve the request in the budgets; wait while reservations of other turns leave no room.

        Raises:
            BudgetExceeded: a budget is exhausted.
            TimeoutError: the turn was stopped meanwhile.
        """
        if not attempt.reservation.is_limited:
            return
        async with asyncio.timeout(None) as deadline:
            with question.handle.interruptible(deadline):
                tokens = self._requests.tokens(attempt.context.model, request)
                await attempt.reservation.reserve(request, tokens, lambda: question.sink.show(Waiting("queue")))

    async def _prepared(
        self, turn: Turn, context: TurnContext, materials: Materials, tools: tuple[ToolDefinition, ...]
    ) -> Prepared:
        secret = context.secret
        if secret is None:
            now = milliseconds(self._clock)
            secret = await self._database.write(lambda conn: make_secret(conn, now))
        return self._requests.prepare(turn, context, secret, materials, tools)
