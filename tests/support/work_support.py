"""Counts the lines of Python that a call runs: the same at each run, unlike a time."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import tgllm.bot

PACKAGE = str(Path(tgllm.bot.__file__).parent)


def lines_run(work: Callable[[], object]) -> int:
    """Run it and return how many lines of the bot's modules it ran; work inside of C counts as one line."""
    count = 0
    is_ours: dict[CodeType, bool] = {}

    # Called for each line, so that it takes most of the time.
    def trace_line(_frame: FrameType, _event: str, _arg: object) -> None:
        nonlocal count
        count += 1

    def trace_call(frame: FrameType, _event: str, _arg: object) -> Any:
        nonlocal count
        code = frame.f_code
        if code not in is_ours:
            is_ours[code] = code.co_filename.startswith(PACKAGE)
        if not is_ours[code]:
            return None
        # The end of the call will be counted like a line.
        count -= 1
        return trace_line

    before = sys.gettrace()
    sys.settrace(trace_call)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
