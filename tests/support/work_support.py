"""Counts the lines of Python that a call runs: the same at each run, unlike a time."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import tgllm.bot

PACKAGE = str(Path(tgllm.bot.__file__).parent)


def lines_run(work: Callable[[], object]) -> int:
    """Run it and return how many lines of the bot's modules it ran; work inside of C counts as one line."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
