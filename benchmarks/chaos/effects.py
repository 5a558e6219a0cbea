"""What the tools did, from the file to which they append a line for each call."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.chaos.questions import TOOLS, Question

__all__ = ["DONE", "Effects", "judge_effects"]

DONE: Final = "It is done."
"""Result of each tool."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Calls of tools, as seen from outside."""

    calls: int
    twice: Sequence[str]
    """Calls that must not be repeated, and were."""
    undone: Sequence[str]
    """Calls without an effect of which the model read that they were done."""
    unknown: int
    """Calls of which the model read something else than their result, such as that a crash has lost it."""


def judge_effects(path: Path, asked: Sequence[Question], results: Mapping[str, str]) -> Effects:
    """Judge the calls of a run.

    Args:
        path: the file; it need not exist.
        asked: the newest version of each question.
        results: what the model read last, by question and version.
    """
    done = Counter(path.read_text().splitlines() if path.exists() else ())
    single = tuple(f"{tool} " for tool in TOOLS[2:])
    twice = [line for line, count in done.items() if count > 1 and line.startswith(single)]
    known = [question for question in asked if question.tool and question.name in results]
    undone = [
        str(question)
        for question in known
        if DONE in results[question.name] and not done[f"{TOOLS[question.tool]} {question.name}"]
    ]
    unknown = sum(DONE not in results[question.name] for question in known)
    return Effects(done.total(), twice, undone, unknown)
