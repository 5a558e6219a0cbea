"""Injected faults, for requests of any kind."""

import asyncio
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tgllm.testing.fake_providers.base.answers import Signal
from tgllm.testing.fake_providers.base.errors import FakeError, Refusal
from tgllm.testing.fake_providers.base.playing import ConnectionCut

__all__ = ["Fault", "Faults", "Trouble"]

Trouble: TypeAlias = FakeError | asyncio.Event | Literal[Signal.CUT]
"""An error response, an event to wait for before the request is handled, or an aborted connection."""


@dataclass(slots=True, eq=False)
class Fault:
    """A fault for the next ``times`` requests whose path contains ``path``; None: for all of them.

    The next ``skip`` of them are passed over first.
    """

    path: str
    trouble: Trouble
    times: int | None = 1
    hits: int = 0
    skip: int = 0


class Faults:
    """The active faults; the first that applies to a request takes effect."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Activate a fault."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Deactivate all faults."""
        self._faults.clear()

    async def strike(self, path: str) -> None:
        """Apply the fault for a request.

        Raises:
            Refusal: the response is an error.
            ConnectionCut: the connection is aborted.
        """
        fault = next((fault for fault in self._faults if fault.path in path), None)
        if fault is None:
            return
        if fault.skip:
            fault.skip -= 1
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
