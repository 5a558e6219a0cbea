"""``python -m benchmarks.load.steady``: latency of a turn while messages arrive at a fixed rate.

Messages are sent at regular intervals, whether or not earlier ones are answered, as at Telegram's own limit of 30
messages a second. The bots alternate round by round; the table shows medians.
"""

import argparse
import os
import platform

from benchmarks.report import table
from benchmarks.turns import BOTS, Figures, measure, median

__all__ = ["main"]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.steady", description=__doc__)
    parser.add_argument("--bots", nargs="+", default=["floor", "tgllm"], choices=list(BOTS))
    parser.add_argument("--rate", type=float, default=30.0, help="messages a second")
    parser.add_argument("--people", type=int, default=60, help="chats")
    parser.add_argument("--turns", type=int, default=600, help="messages in each round")
    parser.add_argument("--rounds", type=int, default=4)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Measure and print the results."""
    arguments = _arguments(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    rounds: dict[str, list[Figures]] = {bot: [] for bot in arguments.bots}
    for _ in range(arguments.rounds):
        for bot, figures in rounds.items():
            one = measure(
                bot,
                parallel=arguments.people,
                turns=arguments.turns,
                warm_up=2 * arguments.people,
                # So that the number of users is that of the chats.
                talk=max(1, (arguments.turns + 2 * arguments.people) // arguments.people),
                rate=arguments.rate,
            )
            print(f"{bot}: p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms", flush=True)
            figures.append(one)
    rows = [_row(bot, median(figures)) for bot, figures in rounds.items()]
    print("\n" + table(["bot", "turns/s", "CPU ms/turn", "p50 ms", "p95 ms", "p99 ms"], rows))


def _row(bot: str, figures: Figures) -> list[str]:
    shown = (figures.turns_per_second, figures.cpu_ms, figures.p50_ms, figures.p95_ms, figures.p99_ms)
    return [bot, *(f"{figure:.1f}" for figure in shown)]


if __name__ == "__main__":
    main()
