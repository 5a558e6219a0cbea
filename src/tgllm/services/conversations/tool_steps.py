"""Calls of tools as a chat shows them."""

from dataclasses import dataclass
from typing import Final, Literal

from tgllm.api.files import OutgoingFile
from tgllm.api.tools import Source

__all__ = ["NO_STEPS", "StepState", "ToolStep", "ToolSteps"]

StepState = Literal["writing", "waiting", "running", "done", "failed", "denied", "unknown", "stopped"]
"""The model writes the call; it waits for an approval; it runs; it has ended, well or with an error; it was not
approved, or is not allowed; a crash left it unknown whether it happened; a person has stopped it."""


@dataclass(frozen=True, slots=True)
class ToolStep:
    """The state of one call; a later one with the same id replaces it."""

    id: str
    """Unique in the turn."""
    tool: str
    """Name of the tool."""
    title: str
    """For people, in the language of the person who asks."""
    state: StepState
    note: str = ""
    """What is being done, such as the title of a page."""
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ToolSteps:
    """The calls of a turn, for its answer."""

    steps: tuple[ToolStep, ...] = ()
    """In the order of the calls."""
    sources: tuple[Source, ...] = ()
    """Without repetitions, in order."""
    files: tuple[OutgoingFile, ...] = ()
    """Files of the results, to be sent with the answer."""


NO_STEPS: Final = ToolSteps()
