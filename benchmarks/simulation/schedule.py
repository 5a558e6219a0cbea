"""One schedule: what people do, lives of the bot, and the steps at which they end."""

import asyncio
import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.chaos.judge import ASKED, Verdict, has_parts, judge
from benchmarks.chaos.questions import Part, Question, parts_in
from benchmarks.simulation.loop import InlineExecutor, SimulatedLoop, Stuck, run_now
from benchmarks.simulation.stage import Stage
from tgllm.bot.runtime import open_runtime
from tgllm.db.tables import inbox, outbox
from tgllm.services.bot_core import open_bot_core
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage

__all__ = ["Crash", "Hang", "Result", "Schedule"]

PATIENCE = 1800.0
"""Virtual seconds after which what is not answered is lost."""
QUIET = 3.0
"""Virtual seconds without anything to do, after which a schedule is judged."""


class Crash(BaseException):
    """The end of a life; nothing may catch it."""


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


@dataclass(slots=True)
class _Action:
    at: float
    run: Callable[[], object]
    is_done: bool = False


@dataclass(slots=True)
class _Chat:
    chat: EmulatedChat
    asked: list[tuple[Question, EmulatedMessage]] = field(default_factory=list[tuple[Question, EmulatedMessage]])
    resent: set[Part] = field(default_factory=set[Part])
    pressed: set[int] = field(default_factory=set[int])


class Schedule:
    """A schedule, determined by a seed and the steps of its crashes."""

    def __init__(self, stage: Stage, seed: int, *, faults: float = 0.05, questions: int = 3) -> None:
        """Prepare it on an unused stage: people ask at most so many questions."""
        self._stage = stage
        self.seed = seed
        self._dice = random.Random(seed)  # noqa: S311  reproducible
        stage.network.dice = random.Random(self._dice.random())  # noqa: S311  reproducible
        stage.network.faults = faults
        stage.model.dice = random.Random(self._dice.random())  # noqa: S311  reproducible
        latency = random.Random(self._dice.random())  # noqa: S311  reproducible
        InlineExecutor.latency = staticmethod(lambda: latency.choice((0.0, 0.001, 0.01)))
        self._chats = [_Chat(chat) for chat in stage.chats]
        self._actions = sorted(self._plan(questions), key=lambda action: action.at)
        self._stop_at = stage.time.now + self._dice.uniform(0.5, 8) if self._dice.random() < 0.25 else None
        self._began = stage.time.now
        self.steps = 0
        self.crashes: list[int] = []
        self.at_step: Callable[[int], None] = lambda _step: None
        """Called before each step with its number; raises ``Crash`` to end a life."""
        self._quiet_since: float | None = None
        self._graves: list[object] = []
        self._broken = ""

    def _plan(self, questions: int) -> list[_Action]:
        dice, actions = self._dice, list[_Action]()
        for _ in range(dice.randint(min(1, questions), questions)):
            number = dice.randrange(len(self._chats))
            at = self._stage.time.now + dice.choice((0.0, dice.uniform(0, 4)))
            parts = 2 if dice.random() < 0.1 else 1
            actions.append(_Action(at, lambda number=number, parts=parts: self._ask(number, parts)))
            if dice.random() < 0.15:
                actions.append(_Action(at + dice.uniform(0, 2), lambda number=number: self._edit(number)))
        return actions

    def crash_at(self, steps: Sequence[int]) -> None:
        """Let lives end before these steps."""
        waiting = sorted(steps, reverse=True)

        def step(number: int) -> None:
            if waiting and number >= waiting[-1]:
                waiting.pop()
                raise Crash

        self.at_step = step

    def run(self) -> Result:
        """Run lives until everything is answered, or nothing happens any more."""
        # What a crash leaves must not be collected: its finally clauses would run.
        gc.disable()
        while True:
            try:
                self._live()
            except Crash:
                self.crashes.append(self.steps)
                self._stage.network.crash()
                self._stage.drop_memory()
                self._stage.time.now += self._dice.choice((0.5, 2.0, 20.0))
            except Hang:
                self._broken = "hangs: a step does not end, or there are too many"
            except Stuck:
                self._broken = "stuck: nothing can happen any more"
            except Exception as error:  # noqa: BLE001  a fault of the bot is a result
                self._broken = f"{type(error).__name__}: {error}"
            if self._broken or self._is_over():
                return self._result()

    def _live(self) -> None:
        loop = SimulatedLoop(self._stage.time, self._step)
        loop.set_exception_handler(self._complain)
        self._graves.append(loop)
        try:
            loop.run_until_complete(self._life(loop))
        except BaseException:
            self._graves.append(asyncio.all_tasks(loop))
            raise
        finally:
            asyncio._set_running_loop(None)  # type: ignore[attr-defined]  # noqa: SLF001  a loop that crashed stays the running one

    def _step(self) -> None:
        self.steps += 1
        self.at_step(self.steps)

    def _complain(self, _loop: object, context: dict[str, Any]) -> None:
        self._broken = self._broken or f"{context.get('message')}: {context.get('exception')!r}"

    async def _life(self, loop: SimulatedLoop) -> None:
        for action in self._actions:
            if not action.is_done:
                loop.call_at(action.at, self._act, action)
        async with (
            open_bot_core(self._stage.core) as core,
            open_runtime(core, self._stage.emulator.token) as runtime,
        ):
            stop = asyncio.Event()
            running = asyncio.create_task(runtime.run(stop))
            watching = asyncio.create_task(self._watch(stop))
            await running
            await watching

    def _act(self, action: _Action) -> None:
        action.is_done = True
        action.run()

    async def _watch(self, stop: asyncio.Event) -> None:
        """Press the buttons of notices, and stop the bot once it is quiet, or at a time of the schedule."""
        while not self._is_over():
            await asyncio.sleep(0.5)
            for each in self._chats:
                self._press(each)
            if self._stop_at is not None and self._stage.time.now >= self._stop_at:
                self._stop_at = None
                break
        stop.set()

    def _is_over(self) -> bool:
        now = self._stage.time.now
        if now - self._began > PATIENCE:
            return True
        if self._has_work():
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        return self._quiet_since is not None and now - self._quiet_since >= QUIET

    def _has_work(self) -> bool:
        if not all(action.is_done for action in self._actions) or len(self._stage.emulator.bot.queue):
            return True
        conn = self._stage.connection
        return bool(
            inbox.counts(conn).keys() & {"queued", "running"} or outbox.counts(conn).keys() & {"ready", "sending"}
        ) or any(self._notice(each) for each in self._chats)

    # --- people ---------------------------------------------------------------------------

    def _ask(self, number: int, parts: int) -> None:
        each = self._chats[number]
        question = Question(number, len(each.asked) + 1, 1, parts)
        person = self._stage.people[number]
        each.asked.append((question, run_now(person.say(f"{self._prefix(each)}{question}", chat=each.chat))))

    def _edit(self, number: int) -> None:
        each = self._chats[number]
        if each.asked:
            question, message = each.asked[-1]
            question = question.edited()
            run_now(self._stage.people[number].edit(message, f"{self._prefix(each)}{question}"))
            each.asked[-1] = question, message

    def _prefix(self, each: _Chat) -> str:
        return "" if each.chat.is_private else f"@{self._stage.emulator.bot.username} "

    def _notice(self, each: _Chat) -> EmulatedMessage | None:
        for message in each.chat.newest_first():
            if message.from_bot and ASKED in message.text and message.buttons and message.id not in each.pressed:
                return message
        return None

    def _press(self, each: _Chat) -> None:
        notice = self._notice(each)
        if notice is None:
            return
        each.pressed.add(notice.id)
        row = outbox.get(self._stage.connection, int((notice.buttons[0].data or ":0").partition(":")[2]))
        parts = parts_in("" if row is None else str(row.payload))
        missing = not has_parts(each.chat, parts)
        if missing:
            each.resent.update(parts)
        person = next(one for one in self._stage.people if one.id in each.chat.members or each.chat.user is one)
        run_now(person.press(notice, notice.labels[0 if missing else 1]))

    # --- judgement ------------------------------------------------------------------------

    def _result(self) -> Result:
        verdict = Verdict()
        for each in self._chats:
            verdict.add(judge(each.chat, each.asked, frozenset(each.resent)))
        return Result(
            self.seed,
            tuple(self.crashes),
            self.steps,
            verdict,
            sum(len(each.asked) for each in self._chats),
            self._stage.model.calls,
            self._stage.network.struck,
            self._broken,
        )
