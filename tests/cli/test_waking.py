"""Signals that arrive after the prompt was shown and before it waits for a key."""

import asyncio
import os
import pty
import signal
import sys

import pytest

from program_support import PATIENCE

# The hook is a function of C: after one of Python the signal would be seen at once.
PROGRAM = """
import ctypes, functools, os, readline, signal, sys
from tgllm.cli.waking import signals_are_seen

def end(number, frame):
    raise SystemExit(100 + number)

number = int(sys.argv[1])
signal.signal(number, end)
readline.set_pre_input_hook(functools.partial(ctypes.CDLL(None).kill, os.getpid(), number))
with signals_are_seen():
    input("> ")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_does_not_wait_for_the_next_key(number: signal.Signals) -> None:
    master, slave = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, str(number.value), stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)

        assert await asyncio.wait_for(process.wait(), PATIENCE) == 100 + number
    finally:
        os.close(master)
