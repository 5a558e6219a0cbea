"""One schedule: lives of the bot, the steps at which they end, and what came of it."""

import asyncio
import gc
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.chaos.judge import Verdict
from benchmarks.simulation.loop import SimulatedLoop, Stuck
from benchmarks.simulation.outside import Outside
from benchmarks.simulation.stage import Stage
from tgllm.bot.runtime import open_replies, open_runtime
from tgllm.services.bot_core import open_bot_core

__all__ = ["Crash", "Hang", "Moment", "Result", "Schedule"]

PATIENCE = 1800.0
"""Virtual seconds after which what is not answered is lost."""
_WORK = """
    SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'queued') OR EXISTS (SELECT 1 FROM inbox WHERE state = 'running')
        OR EXISTS (SELECT 1 FROM outbox WHERE state = 'ready') OR EXISTS (SELECT 1 FROM outbox WHERE state = 'sending')
"""
"""Whether updates or calls are not finished; asked often, so it must not count them."""
QUIET = 3.0
"""Virtual seconds without anything to do, after which a schedule is judged."""


class Crash(BaseException):
    """The end of a life; nothing may catch it."""


class Over(BaseException):
    """The end of a schedule: everything is answered, and nothing happens any more."""


class Hang(BaseException):
    """The end of a schedule that takes too long in real time."""


@dataclass(slots=True)
class Result:
    """What came of a schedule."""

    seed: int
    crashes: Sequence[int]
    """Steps before each crash, from the beginning."""
    steps: int
    """Steps of all lives."""
    verdict: Verdict
    questions: int
    model_calls: int
    faults: int
    violations: int
    """Calls above Telegram's rates."""
    broken: str = ""
    """Error of the bot, or of the simulation."""

    @property
    def is_good(self) -> bool:
        """Whether every question was answered once and in order, or asked about."""
        found = self.verdict
        return not (self.broken or found.lost or found.repeated or found.disorder or found.given_up)

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**asdict(self), "is_good": self.is_good}


@dataclass(frozen=True, slots=True)
class Moment:
    """What a crash at a step leaves; it can be used once."""

    outside: Outside
    image: bytes
    """The database."""
    now: float


class Schedule:
    """A schedule, determined by a seed and the steps of its crashes."""

    def __init__(self, stage: Stage, outside: Outside) -> None:
        """Prepare it on a stage; see ``begin`` and ``crashed``."""
        self._stage = stage
        self._outside = stage.outside = outside
        self._crash_at: list[int] = []
        self._keep_at: Container[int] | None = ()
        """Steps of which moments are kept; None for each step at which a crash leaves something new."""
        self._kept: list[Moment] = []
        self._seen: set[tuple[float, ...]] = set()
        self._image: tuple[int, bytes] = (-1, b"")
        """Latest copy of the database, and the number of changes until then."""
        self._is_quiet = False
        self._broken = ""

    @classmethod
    def begin(cls, stage: Stage, seed: int, *, faults: float = 0.05, questions: int = 3) -> "Schedule":
        """Prepare a schedule from its beginning: people ask at most so many questions."""
        stage.reset()
        return cls(stage, Outside.begin(seed, stage.clock, paced=stage.paced, faults=faults, questions=questions))

    @classmethod
    def crashed(cls, stage: Stage, moment: Moment) -> "Schedule":
        """Prepare the rest of a schedule after a crash."""
        stage.restore(moment.image, moment.now)
        schedule = cls(stage, moment.outside)
        schedule._crash()
        return schedule

    @property
    def steps(self) -> int:
        """Steps until now, in all lives."""
        return self._outside.steps

    @property
    def crashes(self) -> Sequence[int]:
        """Steps before each crash until now."""
        return tuple(self._outside.crashes)

    def crash_at(self, steps: Sequence[int]) -> None:
        """Let lives end before these steps."""
        self._crash_at = sorted(steps, reverse=True)

    def keep(self, steps: Container[int] | None = None) -> list[Moment]:
        """Return a list to which moments are added: of these steps, or all after which a crash leaves something new."""
        self._keep_at = steps
        return self._kept

    def run(self) -> Result:
        """Run lives until everything is answered, or nothing happens any more."""
        # What a crash leaves must not be collected: its finally clauses would run.
        gc.disable()
        while True:
            try:
                self._live()
            except Crash:
                self._crash()
            except Over:
                return self._result()
            except Hang:
                self._broken = "hangs: a step does not end, or there are too many"
            except Stuck:
                self._broken = "stuck: nothing can happen any more"
            except Exception as error:  # noqa: BLE001  a fault of the bot is a result
                self._broken = f"{type(error).__name__}: {error}"
            if self._broken or self._is_over():
                return self._result()

    def _crash(self) -> None:
        outside = self._outside
        outside.crashes.append(outside.steps)
        # The time until the next life is no time in which everything is answered.
        outside.quiet_since = None
        self._stage.network.crash()
        self._stage.drop_memory()
        self._stage.time.now += outside.dice.choice((0.5, 2.0, 20.0))

    def _live(self) -> None:
        loop = SimulatedLoop(self._stage.time, self._step)
        loop.set_exception_handler(self._complain)
        self._stage.graves.append(loop)
        try:
            loop.run_until_complete(self._life(loop))
        finally:
            asyncio._set_running_loop(None)  # type: ignore[attr-defined]  # noqa: SLF001  a loop that crashed stays the running one

    def _step(self) -> None:
        outside = self._outside
        outside.steps += 1
        if self._is_quiet:
            raise Over
        if self._crash_at and outside.steps >= self._crash_at[-1]:
            self._crash_at.pop()
            raise Crash
        if self._keep_at is None:
            left = (*outside.fingerprint(), self._stage.connection.total_changes)
            if left not in self._seen:
                self._seen.add(left)
                self._keep()
        elif outside.steps in self._keep_at:
            self._keep()

    def _keep(self) -> None:
        changes, image = self._image
        if changes != self._stage.connection.total_changes:
            image = self._stage.image_now()
            self._image = self._stage.connection.total_changes, image
        self._kept.append(Moment(self._outside.copied(), image, self._stage.time.now))

    def _complain(self, _loop: object, context: dict[str, Any]) -> None:
        self._broken = self._broken or f"{context.get('message')}: {context.get('exception')!r}"

    async def _life(self, loop: SimulatedLoop) -> None:
        crowd = self._outside.crowd
        for action in crowd.actions:
            if not action.is_done:
                loop.call_at(action.at, crowd.act, action)
        async with (
            open_bot_core(self._stage.core) as core,
            open_replies(core) as composer,
            open_runtime(core, composer, self._stage.emulator.token) as runtime,
        ):
            stop = asyncio.Event()
            running = asyncio.create_task(runtime.run(stop))
            watching = asyncio.create_task(self._watch(stop))
            await running
            await watching
        await self._stage.rest()

    async def _watch(self, stop: asyncio.Event) -> None:
        """Press the buttons of notices until it is quiet, or stop the bot at a time of the schedule."""
        outside = self._outside
        while outside.stop_at is None or self._stage.time.now < outside.stop_at:
            if self._is_over():
                # The next step raises: a task would keep what is raised here.
                self._is_quiet = True
                return
            await asyncio.sleep(0.5)
            outside.crowd.press_notices(self._stage.connection)
        outside.stop_at = None
        stop.set()

    def _is_over(self) -> bool:
        outside, now = self._outside, self._stage.time.now
        if now - outside.began > PATIENCE:
            return True
        if self._has_work():
            outside.quiet_since = None
        elif outside.quiet_since is None:
            outside.quiet_since = now
        return outside.quiet_since is not None and now - outside.quiet_since >= QUIET

    def _has_work(self) -> bool:
        if self._outside.crowd.is_busy() or len(self._stage.emulator.bot.queue):
            return True
        return bool(self._stage.connection.execute(_WORK).fetchone()[0])

    def _result(self) -> Result:
        outside = self._outside
        return Result(
            outside.seed,
            tuple(outside.crashes),
            outside.steps,
            outside.crowd.verdict(),
            outside.crowd.questions,
            outside.model_calls,
            outside.struck,
            self._stage.emulator.rates.violations,
            self._broken,
        )
