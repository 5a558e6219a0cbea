"""How long rows of the outbox were ``sending``."""

import statistics
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Sending", "read_sending"]


@dataclass(frozen=True, slots=True)
class Sending:
    """Durations of the state ``sending``, of rows that send a message."""

    rows: int
    mean_ms: float
    median_ms: float
    longest_ms: float
    open_at_kill: int
    """Rows that were ``sending`` when the program was killed."""


def read_sending(path: Path) -> Sending:
    """Read the file that the victim writes."""
    began: dict[tuple[str, str], float] = {}
    durations: list[float] = []
    for line in path.read_text().splitlines() if path.exists() else ():
        process, row, kind, state, at = line.split()
        if kind != "send":
            continue
        if state == "sending":
            began[process, row] = float(at)
        elif (since := began.pop((process, row), None)) is not None:
            durations.append(1000 * (float(at) - since))
    found = durations or [0.0]
    return Sending(len(durations), statistics.fmean(found), statistics.median(found), max(found), len(began))
