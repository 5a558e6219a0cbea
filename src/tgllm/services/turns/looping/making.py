"""Makes the calls of one round, side by side, and stores how each has ended."""

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools.calls import Ended, StoredCall
from tgllm.services.conversations.tool_steps import StepState, ToolStep
from tgllm.services.tools.arguments import WrongArguments, parse_arguments
from tgllm.services.tools.call_book import Begun
from tgllm.services.tools.put_back import PutBack
from tgllm.services.tools.services import ToolServices
from tgllm.services.turns.attempt import Question
from tgllm.services.turns.looping.turn_tools import TurnTools

if TYPE_CHECKING:
    from tgllm.api import JsonObject

__all__ = ["PARALLEL", "Making"]

T = TypeVar("T")

PARALLEL: Final = 8
"""Most calls of a round that run at once; those that wait for an approval don't count."""


class Making:
    """The calls of a round while they are made."""

    def __init__(
        self, services: ToolServices, database: Database, clock: Clock, question: Question, tools: TurnTools
    ) -> None:
        """Create it for the question of a turn.

        Args:
            services: services of tools.
            database: holds the calls.
            clock: the time.
            question: shows the steps.
            tools: of the turn.
        """
        self._services = services
        self._database = database
        self._clock = clock
        self._question = question
        self._tools = tools
        self._places = asyncio.Semaphore(PARALLEL)
        self._waiting = 0
        self._waits_since = 0.0
        self._is_put_back = False
        """Whether a call waits for an approval while the program ends."""

    async def run(self, calls: Iterable[StoredCall]) -> None:
        """Make the calls that have no result yet. If this is cancelled, they are cancelled, and end before it.

        Raises:
            DatabaseError: a result can't be stored.
            PutBack: the program ends while calls wait for an approval; the others have ended.
        """
        tasks = [
            asyncio.create_task(self._make(call), name=f"tool call {call.id}") for call in calls if call.result is None
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._is_put_back:
            raise PutBack

    async def _make(self, call: StoredCall) -> None:
        if call.state == "waiting" and self._services.approvals is not None:
            self._show(call, "waiting", "admins" if call.approver == "admins" else "")
            try:
                with self._wait():
                    await self._services.approvals.wait([call.id])
            except PutBack:
                self._is_put_back = True
                return
        async with self._places:
            await self._begin(call)

    async def _begin(self, call: StoredCall) -> None:
        """Start a call, if it still may be made, and store its result."""
        turn, owned = self._question.turn, self._services.book.tool_of(call)
        # On the disk before it starts: after a power failure, too, the call must not be made a second time.
        durable = owned is None or not owned.tool.may_repeat
        now = milliseconds(self._clock)
        begun = await self._write(lambda conn: self._services.book.begin(conn, call.id, turn, now), durable=durable)
        if begun is not None:
            ended = await self._ended(begun)
            now = milliseconds(self._clock)
            await self._write(lambda conn: self._services.book.end(conn, {call.id: ended}, now), durable=durable)
        stored = await self._database.read(lambda conn: tool_calls.get(conn, call.id))
        if stored is not None:
            self._question.sink.show(self._tools.step(stored))

    async def _write(self, unit: Callable[[Connection], T], *, durable: bool) -> T:
        if self._services.approvals is not None:
            # The end of a call is shown on its card.
            self._database.expect("outbox")
        return await self._database.write(unit, durable=durable)

    async def _ended(self, begun: Begun) -> Ended:
        call, turn = begun.call, self._question.turn
        try:
            arguments: JsonObject = await asyncio.to_thread(parse_arguments, call.arguments, begun.tool.tool.schema)
        except WrongArguments as error:
            # The tool has another schema since the round was stored.
            return Ended(state="invalid", result=str(error), error="wrong arguments")
        self._show(call, "running")

        def on_progress(note: str, done: int | None, total: int | None) -> None:
            self._show(call, "running", note, done, total)

        own = self._services.ask_for(turn, call, self._tools.step(call).title)
        return await self._services.runner.run(begun, turn, arguments, on_progress, own)

    def _show(
        self, call: StoredCall, state: StepState, note: str = "", done: int | None = None, total: int | None = None
    ) -> None:
        step = self._tools.step(call, state, note)
        self._question.sink.show(ToolStep(step.id, step.tool, step.title, state, note, done, total))

    @contextmanager
    def _wait(self) -> Generator[None]:
        """Count the time in which the round waits for people."""
        if not self._waiting:
            self._waits_since = self._clock.monotonic()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._tools.paused += self._clock.monotonic() - self._waits_since
