"""``python -m benchmarks``: comparison of tgllm and bare aiogram bots, with the same emulator, model and machine.

The bots run alternately in several rounds, since the load of the machine varies; the results are medians.
"""

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from benchmarks.report import start_table, turn_table
from benchmarks.startup import Start, measure_starts
from benchmarks.turns import BOTS, UNSYNCED, Figures, measure, median

__all__ = ["main"]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--bots",
        nargs="+",
        default=[bot for bot in BOTS if bot != UNSYNCED],
        choices=list(BOTS),
        help="which to compare",
    )
    parser.add_argument("--parallel", type=int, default=10, help="people who wait for an answer at the same time")
    parser.add_argument("--talk", type=int, default=10, help="messages of each person in all")
    parser.add_argument("--turns", type=int, default=1500, help="messages counted in each round")
    parser.add_argument("--warm-up", type=int, default=200, help="messages before those")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; 0 leaves the bots out")
    parser.add_argument("--starts", type=int, default=7, help="rounds of short commands; 0 leaves them out")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmarks and print the results."""
    arguments = _arguments(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    rounds = _rounds(arguments)
    if arguments.rounds:
        print(turn_table({bot: median(figures) for bot, figures in rounds.items()}), end="\n\n")
    starts = measure_starts(arguments.starts) if arguments.starts else {}
    if starts:
        print(start_table(starts))
    if arguments.json is not None:
        arguments.json.write_text(_as_json(rounds, starts))


def _rounds(arguments: argparse.Namespace) -> dict[str, list[Figures]]:
    rounds: dict[str, list[Figures]] = {bot: [] for bot in arguments.bots}
    for _ in range(arguments.rounds):
        for bot, figures in rounds.items():
            one = measure(
                bot,
                parallel=arguments.parallel,
                turns=arguments.turns,
                warm_up=arguments.warm_up,
                talk=arguments.talk,
            )
            print(f"{bot}: {one.turns_per_second:.0f} turns/s, {one.cpu_ms:.2f} ms CPU a turn", flush=True)
            figures.append(one)
    return rounds


def _as_json(rounds: dict[str, list[Figures]], starts: dict[str, Start]) -> str:
    figures = {bot: [asdict(one) for one in all_] for bot, all_ in rounds.items()}
    return json.dumps({"turns": figures, "starts": {name: asdict(one) for name, one in starts.items()}}, indent=2)


if __name__ == "__main__":
    main()
