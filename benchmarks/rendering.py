"""``python -m benchmarks.rendering``: time to render an answer of 4,000 characters, in milliseconds."""

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from tgllm.bot.rendering.render import render, render_draft

__all__ = ["main"]

CHARACTERS = 4000
DRAFTS = 40

SECTION = """\
## What changes

The **writer task** takes one unit at a time, so `BEGIN IMMEDIATE` never waits for another of ours; see
[the manual](https://sqlite.org/lang_transaction.html) for *why* a deferred one may fail at once.

1. Open the connection, and set `PRAGMA synchronous=FULL`.
2. Begin, run the unit, commit.
   - A failure rolls back **only** that unit.

```python
async def write(self, unit):
    async with self._lock:
        return await self._thread.run(unit)
```

> A reader has a connection of its own, and never waits for a writer.

| step | milliseconds | share |
|:-----|-------------:|------:|
| begin | 0.02 | 4 % |
| commit | 0.41 | 96 % |

The time of a commit is about $t = n \\cdot c$ for n pages. It is not much; it is paid once for each message.

"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmarks and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rendering", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how often each is measured")
    rounds = parser.parse_args(argv).rounds
    answer = (SECTION * (CHARACTERS // len(SECTION) + 1))[:CHARACTERS]
    prose = ("A sentence like any other, in a paragraph of six of them. " * 6 + "\n\n") * 20
    cases: Mapping[str, Callable[[], object]] = {
        "text with entities": lambda: render(answer, rich="never"),
        "rich message and its fallback": lambda: render(answer, rich="always"),
        "a draft": lambda: render_draft(answer),
        f"{DRAFTS} drafts of a growing answer": lambda: _drafts(answer),
        "text with entities, prose": lambda: render(prose[:CHARACTERS]),
    }
    print(f"{platform.python_implementation()} {platform.python_version()}, {CHARACTERS} characters\n")
    print("| | median ms | least ms |\n|:--|--:|--:|")
    for name, work in cases.items():
        times = sorted(_milliseconds(work) for _ in range(rounds))
        print(f"| {name} | {statistics.median(times):.2f} | {times[0]:.2f} |")


def _drafts(answer: str) -> None:
    for number in range(1, DRAFTS + 1):
        render_draft(answer[: len(answer) * number // DRAFTS])


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    main()
