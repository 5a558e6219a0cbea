"""``python -m benchmarks.load.earlier``: CPU of a turn in conversations of different lengths, measured alternately.

Each person's conversation already has the given number of turns when the bot starts. All messages are as short as those
of ``python -m benchmarks``, so a long conversation fills the context with many messages: the hardest case.
"""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.report import table
from benchmarks.turns import Figures, measure

__all__ = ["main"]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.earlier", description=__doc__)
    parser.add_argument("--earlier", nargs="+", type=int, default=[10, 500, 2000], help="numbers of earlier turns")
    parser.add_argument("--parallel", type=int, default=1, help="people who wait for an answer at the same time")
    parser.add_argument("--turns", type=int, default=400, help="messages counted in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bot", default="tgllm", choices=["tgllm", "tgllm, same client"])
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Measure and print the results."""
    arguments = _arguments(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    rounds: dict[int, list[Figures]] = {earlier: [] for earlier in arguments.earlier}
    for _ in range(arguments.rounds):
        for earlier, figures in rounds.items():
            one = measure(
                arguments.bot,
                parallel=arguments.parallel,
                turns=arguments.turns,
                warm_up=max(arguments.turns // 10, 1),
                talk=10,
                earlier=earlier,
            )
            print(f"{earlier} earlier turns: {one.cpu_ms:.2f} ms CPU a turn", flush=True)
            figures.append(one)
    print("\n" + _table(rounds))
    if arguments.json is not None:
        figures = {str(earlier): [asdict(one) for one in all_] for earlier, all_ in rounds.items()}
        arguments.json.write_text(json.dumps({"earlier": figures}, indent=2))


def _table(rounds: dict[int, list[Figures]]) -> str:
    """Return the table; a ratio is the median of those of the rounds, since the load of a machine varies."""
    first = next(iter(rounds.values()))
    rows = [
        [
            str(earlier),
            f"{_median([one.cpu_ms for one in all_]):.2f}",
            f"{_median([one.cpu_ms / base.cpu_ms for one, base in zip(all_, first, strict=True)]):.2f}",
            f"{_median([one.p50_ms for one in all_]):.1f}",
        ]
        for earlier, all_ in rounds.items()
    ]
    return table(["earlier turns", "CPU ms/turn", "ratio", "p50 ms"], rows)


def _median(figures: Sequence[float]) -> float:
    return statistics.median(figures)


if __name__ == "__main__":
    main()
