"""``python -m benchmarks.rendering``: time to render ordinary answers; with ``--nasty``, answers of nasty shapes."""

import argparse
import gc
import platform
import signal
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from types import FrameType

from benchmarks.report import table
from benchmarks.shapes import ORDINARY, SHAPES
from tgllm.bot.rendering.render import render, render_draft

__all__ = ["main"]

CHARACTERS = 4000
DRAFTS = 40
SIZES = (4_000, 32_000, 256_000)
WORK: Mapping[str, Callable[[str], object]] = {
    "render": lambda markdown: render(markdown, rich="never"),
    "rich": lambda markdown: render(markdown, rich="always"),
    "draft": render_draft,
}
MOST_SECONDS = 5
"""CPU time after which a shape is given up, at this size and at larger ones."""
ENOUGH_MS = 100
"""Milliseconds for which each is repeated: the clock of the CPU may tick in steps of 4."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmarks and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rendering", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how often each is measured")
    parser.add_argument("--nasty", action="store_true", help="ms for 1,000 characters of each shape and size")
    parser.add_argument("--work", nargs="+", default=["render", "draft"], choices=list(WORK), help="with --nasty")
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), help="with --nasty: names of shapes")
    arguments = parser.parse_args(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}\n")
    if arguments.nasty:
        _nasty(arguments.shapes, arguments.work)
    else:
        _ordinary(arguments.rounds)


def _ordinary(rounds: int) -> None:
    answer = (ORDINARY * (CHARACTERS // len(ORDINARY) + 1))[:CHARACTERS]
    prose = ("A sentence like any other, in a paragraph of six of them. " * 6 + "\n\n") * 20
    cases: Mapping[str, Callable[[], object]] = {
        "text with entities": lambda: render(answer, rich="never"),
        "rich message and its fallback": lambda: render(answer, rich="always"),
        "a draft": lambda: render_draft(answer),
        f"{DRAFTS} drafts of a growing answer": lambda: _drafts(answer),
        "text with entities, prose": lambda: render(prose[:CHARACTERS]),
    }
    print(f"{CHARACTERS} characters\n\n| | median ms | least ms |\n|:--|--:|--:|")
    for name, work in cases.items():
        times = sorted(_milliseconds(work) for _ in range(rounds))
        print(f"| {name} | {statistics.median(times):.2f} | {times[0]:.2f} |")


def _drafts(answer: str) -> None:
    for number in range(1, DRAFTS + 1):
        render_draft(answer[: len(answer) * number // DRAFTS])


def _nasty(shapes: Sequence[str], works: Sequence[str]) -> None:
    """Print a row for each shape."""
    signal.signal(signal.SIGPROF, _give_up)
    gc.set_threshold(20_000, 20, 50)
    for work in works:
        WORK[work](ORDINARY)
    head = ["shape", *(f"{work} {size // 1000}k" for work in works for size in SIZES)]
    print(table(head, []))
    for shape in shapes:
        figures = [figure for work in works for figure in _for_a_thousand(SHAPES[shape], WORK[work])]
        print(f"| {shape} | {' | '.join(figures)} |", flush=True)


def _for_a_thousand(shape: Callable[[int], str], work: Callable[[str], object]) -> list[str]:
    """Return the milliseconds of CPU for 1,000 characters, for each size."""
    figures: list[str] = []
    for size in SIZES:
        markdown = shape(size)
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        try:
            took = _average(lambda markdown=markdown: work(markdown))
        except TimeoutError:
            return [*figures, f"> {MOST_SECONDS * 1_000_000 / size:.0f}"] + [""] * (len(SIZES) - len(figures) - 1)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        figures.append(f"{took * 1000 / size:.2f}")
    return figures


def _average(work: Callable[[], object]) -> float:
    began = time.process_time()
    for rounds in count(1):
        work()
        if (took := 1000 * (time.process_time() - began)) >= ENOUGH_MS:
            return took / rounds
    raise AssertionError


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    main()
