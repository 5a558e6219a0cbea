"""Troubles to order for any request, not only for answers."""

import asyncio
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tgllm.testing.fake_providers.base.answers import Signal
from tgllm.testing.fake_providers.base.errors import FakeError, Refusal
from tgllm.testing.fake_providers.base.playing import ConnectionCut

__all__ = ["Fault", "Faults", "Trouble"]

Trouble: TypeAlias = FakeError | asyncio.Event | Literal[Signal.CUT]
"""An error answer, something to wait for before the request is handled, or a connection that is cut."""


@dataclass(slots=True, eq=False)
class Fault:
    """Strikes the next ``times`` requests whose path contains ``path``; None: all of them."""

    path: str
    trouble: Trouble
    times: int | None = 1
    hits: int = 0


class Faults:
    """The troubles in force; for each request the first that fits strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults."""
        self._faults.clear()

    async def strike(self, path: str) -> None:
        """Do to a request what was ordered for it.

        Raises:
            Refusal: it is to be answered with an error.
            ConnectionCut: its connection is to be aborted.
        """
        fault = next((fault for fault in self._faults if fault.path in path), None)
        if fault is None:
            return
        fault.hits += 1
        if fault.hits == fault.times:
            self._faults.remove(fault)
        match fault.trouble:
            case FakeError() as error:
                raise Refusal(error)
            case asyncio.Event() as event:
                await event.wait()
            case _:
                raise ConnectionCut
