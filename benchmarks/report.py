"""Tables of the results."""

from collections.abc import Mapping, Sequence

from benchmarks.startup import Start
from benchmarks.turns import Figures

__all__ = ["start_table", "table", "turn_table"]


def turn_table(figures: Mapping[str, Figures]) -> str:
    """Return a Markdown table with a row for each bot."""
    head = ["bot", "turns/s", "of the floor", "CPU ms/turn", "calls/turn", "polls/turn"]
    head += ["p50 ms", "p95 ms", "peak MiB", "emulator busy", "model busy"]
    floor = figures.get("floor")
    return table(head, [_turn_row(name, one, floor) for name, one in figures.items()])


def _turn_row(name: str, figures: Figures, floor: Figures | None) -> list[str]:
    share = "" if floor is None else f"{figures.turns_per_second / floor.turns_per_second:.0%}"
    return [
        name,
        f"{figures.turns_per_second:.0f}",
        share,
        f"{figures.cpu_ms:.2f}",
        f"{figures.calls:.2f}",
        f"{figures.polls:.2f}",
        f"{figures.p50_ms:.0f}",
        f"{figures.p95_ms:.0f}",
        f"{figures.peak_mib:.0f}",
        f"{figures.telegram_busy:.0%}",
        f"{figures.model_busy:.0%}",
    ]


def start_table(starts: Mapping[str, Start]) -> str:
    """Return a Markdown table with a row for each command."""
    rows = [[name, f"{start.cpu_ms:.0f}", f"{start.peak_mib:.0f}"] for name, start in starts.items()]
    return table(["command", "CPU ms", "peak MiB"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))
