"""What is outside of the program's process: people, Telegram, requests on the way, the model, and chance.

A crash touches none of it, and all of it can be copied.
"""

import copy
import random
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.simulation.loop import SimulatedClock
from benchmarks.simulation.people import Crowd, planned
from tgllm.testing.emulator import BotApiError, EmulatedUser, Emulator, RateLimits
from tgllm.testing.emulator.methods.call import MethodCall

__all__ = ["Dice", "Outside", "Request", "World"]

PEOPLE: Final = 3


class Dice(random.Random):
    """Random numbers, which continue in the same way in a copy."""

    def __deepcopy__(self, _memo: object) -> "Dice":
        """Return a copy without a copy of each of its numbers."""
        copied = Dice()
        copied.setstate(self.getstate())
        return copied


class World:
    """Telegram with some people and their chats; each has the same ids."""

    def __init__(self, clock: SimulatedClock, *, paced: bool) -> None:
        """Create it."""
        self.clock = clock
        self.emulator = Emulator(clock=clock, rate_limits=RateLimits() if paced else None)
        self.people: list[EmulatedUser] = [
            self.emulator.add_user(first_name=f"P{each}", language_code="en") for each in range(PEOPLE)
        ]
        self.group = self.emulator.add_group(title="Group", members=[self.people[-1]])
        self.chats = [*(person.private_chat() for person in self.people[:-1]), self.group]

    def disconnect(self) -> None:
        """Forget the connection of the waiting getUpdates, which is gone with the program."""
        queue: Any = self.emulator.bot.queue
        queue._poll = None  # noqa: SLF001  servers learn of a lost connection from their sockets
        self.emulator.world.changes._watchers.clear()  # noqa: SLF001  the lost connection was waiting here


@dataclass(slots=True, eq=False)
class Request:
    """A request that has left."""

    call: MethodCall
    wrong: BotApiError | None
    """Error of its parameters."""


@dataclass(slots=True)
class Outside:
    """State of everything but the program and its database."""

    seed: int
    began: float
    """Virtual time of the beginning."""
    world: World
    crowd: Crowd
    faults: float
    """Part of the calls with a fault."""
    dice: Dice
    network: Dice
    model: Dice
    latency: Dice
    on_the_way: list[Request] = field(default_factory=list[Request])
    """Requests that have left and are not executed yet; a crash of the program doesn't stop them."""
    struck: int = 0
    """Calls with a fault."""
    model_calls: int = 0
    steps: int = 0
    """Steps of the event loop, in all lives."""
    crashes: list[int] = field(default_factory=list[int])
    """Steps before each crash."""
    stop_at: float | None = None
    """Virtual time of an orderly shutdown."""
    quiet_since: float | None = None

    @classmethod
    def begin(cls, seed: int, clock: SimulatedClock, *, paced: bool, faults: float, questions: int) -> "Outside":
        """Return what a seed determines: people ask at most so many questions."""
        dice = Dice(seed)
        network, model, latency = (Dice(dice.random()) for _ in range(3))
        world, now = World(clock, paced=paced), clock.monotonic()
        crowd = Crowd(world.emulator, world.people, world.chats, planned(dice, now, questions, len(world.chats)))
        stop_at = now + dice.uniform(0.5, 8) if dice.random() < 0.25 else None
        return cls(seed, now, world, crowd, faults, dice, network, model, latency, stop_at=stop_at)

    def copied(self) -> "Outside":
        """Return a copy without connections, which shares what does not change any more."""
        world = self.world.emulator.world
        queue: Any = self.world.emulator.bot.queue
        changes: Any = world.changes
        # They belong to the running loop.
        poll, queue._poll = queue._poll, None  # noqa: SLF001  servers learn of a lost connection from their sockets
        watchers, changes._watchers = changes._watchers, set()  # noqa: SLF001  waiting connections can't be copied
        past = (call for call in world.journal if call.status is not None)
        shared = [self.world.clock, *past, *(request.call.spec for request in self.on_the_way)]
        try:
            return copy.deepcopy(self, {id(each): each for each in shared})
        finally:
            queue._poll, changes._watchers = poll, watchers  # noqa: SLF001  puts both back

    def fingerprint(self) -> tuple[float, ...]:
        """Return numbers that differ if a crash may leave something else."""
        world = self.world.emulator.world
        return (
            self.world.clock.monotonic(),
            world.changes.version,
            world.journal.total,
            len(self.on_the_way),
            self.struck,
            self.model_calls,
        )
