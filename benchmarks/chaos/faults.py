"""Faults of the emulated Telegram, some of which leave it unknown whether a call was executed."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from tgllm.testing.emulator import Emulator, Fault

__all__ = ["UNKNOWN", "Weather"]

UNKNOWN: Final = frozenset({"cut before", "cut after"})
"""Faults after which the bot can't know whether the call was executed."""

_METHODS: Final = ("sendMessage", "sendMessage", "editMessageText", "sendChatAction", "sendMessageDraft", "getUpdates")
_KINDS: Final[Mapping[str, Callable[[str], Fault]]] = {
    "429": lambda method: Fault.retry_after(method, 1),
    "500": Fault.restarting,
    "502": Fault.bad_gateway,
    "cut before": Fault.cut_before,
    "cut after": Fault.cut_after,
}


class Weather:
    """Adds a fault now and then; counts those that struck."""

    def __init__(self, emulator: Emulator, dice: random.Random, *, seconds: float) -> None:
        """Create the weather; ``seconds`` is the mean time between two faults."""
        self._emulator = emulator
        self._dice = dice
        self._seconds = seconds
        self._added: list[tuple[str, Fault]] = []
        self.restarts = 0
        """Restarts of the server, which refuses connections meanwhile."""

    async def run(self) -> None:
        """Add faults until cancelled."""
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / self._seconds))
            if self._dice.random() < 0.1:
                await self._restart()
                continue
            kind = self._dice.choice(list(_KINDS))
            fault = _KINDS[kind](self._dice.choice(_METHODS))
            self._added.append((kind, self._emulator.faults.add(fault)))

    async def _restart(self) -> None:
        self.restarts += 1
        await self._emulator.stop()
        try:
            await asyncio.sleep(self._dice.random())
        finally:
            await self._emulator.start()

    def clear(self) -> None:
        """Remove the faults that have not struck."""
        self._emulator.faults.clear()

    def hits(self) -> Mapping[str, int]:
        """Return how many faults of each kind have struck."""
        return dict(Counter(kind for kind, fault in self._added if fault.hits))

    def unknown_hits(self) -> int:
        """Return how many messages were sent without a response because of a fault."""
        return sum(
            bool(fault.hits) and kind in UNKNOWN and fault.method == "sendMessage" for kind, fault in self._added
        )
