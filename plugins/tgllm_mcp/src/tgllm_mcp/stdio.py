"""Transport to a server that is a program: messages are lines of JSON on its standard input and output.

The SDK's own transport keeps a line of any length, at a cost that grows with its square, logs each line that is no
message, and can give the server's standard error to a file only; so this is another one, with limits.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from tgllm.api.clock import Clock

__all__ = ["Program", "program_transport"]

MOST_BYTES = 8 * 1024 * 1024
"""Longest message of a server, in bytes."""
MOST_WASTE = 1_000
"""Lines that are no messages, after which the server is given up."""
_BURST = 500
"""Messages after which a server that goes on sending is slowed down."""
_PAUSE = 0.25
"""Seconds of that pause; meanwhile the pipe is full and the server waits."""
_GRACE = 2.0
"""Seconds until a server that was asked to end is sent the next signal."""

T = TypeVar("T")
Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]


@dataclass(frozen=True, slots=True)
class Program:
    """Command of a server, and the callbacks for its standard error and its end."""

    command: str
    args: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None
    clock: Clock
    said: Callable[[str], None]
    """Called with each line of standard error."""
    ended: Callable[[str], None]
    """Called with the reason when the connection ends: the SDK does not tell the owner."""


def _pipe(stream: T | None) -> T:
    if stream is None:
        raise RuntimeError("the process was started without a pipe")
    return stream


@asynccontextmanager
async def program_transport(program: Program) -> AsyncGenerator[Streams]:
    """Start a server, and yield the streams of its messages; the server and its children end with the context.

    Raises:
        OSError: the program can't be started.
    """
    process = await asyncio.create_subprocess_exec(
        program.command,
        *program.args,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**get_default_environment(), **program.env},
        cwd=program.cwd,
        start_new_session=True,  # so that a signal reaches its children too
        limit=MOST_BYTES,
    )
    incoming, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(_pipe(process.stdout), incoming, program)),
        asyncio.create_task(_write(_pipe(process.stdin), outgoing, incoming)),
        asyncio.create_task(_listen(_pipe(process.stderr), program.said)),
    ]
    try:
        yield read_stream, write_stream
    finally:
        # The end of the server must not be cut short by a cancellation, or its process would stay behind.
        with anyio.CancelScope(shield=True):
            for stream in (read_stream, write_stream, incoming, outgoing):
                stream.close()
            await _end(process)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _read(
    stdout: asyncio.StreamReader,
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
    program: Program,
) -> None:
    """Pass the server's messages on, until it ends or breaks a limit; then the session sees a closed connection."""
    reason = ""
    pace = _Pace(program.clock)
    waste, line = 0, b""
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        while not reason:
            await pace.step()
            try:
                line = await stdout.readline()
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValidationError:
                waste += bool(line.strip())
                if not line:
                    reason = "it has closed its output"
                elif waste > MOST_WASTE:
                    reason = f"it has written {MOST_WASTE} times a line that is no message to its standard output"
            except ValueError:  # longer than the limit of the pipe
                reason = f"it has sent a message of more than {MOST_BYTES // 1024**2} MB"
            else:
                await incoming.send(SessionMessage(message))
    if reason and incoming.statistics().open_receive_streams:  # otherwise this side has closed the connection
        program.ended(reason)
    incoming.close()


class _Pace:
    """Slows the reading down of a server that floods: its pipe is full then, and it waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._messages = 0
        self._since = clock.monotonic()

    async def step(self) -> None:
        """Count a message, and wait if there were many within a second."""
        self._messages += 1
        if self._messages < _BURST:
            return
        if self._clock.monotonic() - self._since < 1.0:
            await self._clock.sleep(_PAUSE)
        self._messages, self._since = 0, self._clock.monotonic()


async def _write(
    stdin: asyncio.StreamWriter,
    outgoing: MemoryObjectReceiveStream[SessionMessage],
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    """Send messages to the server; if it does not take them, the session sees a closed connection."""
    try:
        async for sent in outgoing:
            text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            stdin.write(text.encode("utf-8", "replace") + b"\n")
            await stdin.drain()
    except (anyio.ClosedResourceError, OSError):
        incoming.close()


async def _listen(stderr: asyncio.StreamReader, said: Callable[[str], None]) -> None:
    """Read what the server writes to its standard error, so that it never waits for a reader."""
    rest = b""
    while piece := await stderr.read(65_536):
        *lines, rest = (rest + piece).split(b"\n")
        # A flood is not worth a log line each; the last lines of a piece say why a server ends.
        for line in lines[-20:]:
            said(line[:1_000].decode("utf-8", "replace"))
        rest = rest[:1_000]
    if rest:
        said(rest.decode("utf-8", "replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the server: by the end of its input, then by signals to it and its children."""
    if process.stdin is not None:
        process.stdin.close()
    waiter = asyncio.create_task(process.wait())
    try:
        for sign in (None, signal.SIGTERM, signal.SIGKILL):
            if sign is not None:
                _signal(process, sign)
            # It is done when the pipes are closed too, so a child that keeps them open gets the signals as well.
            await asyncio.wait({waiter}, timeout=_GRACE)
            if waiter.done():
                break
    finally:
        _signal(process, signal.SIGKILL)  # children that outlive it
        waiter.cancel()
        # A process is over before its pipes are; nothing public closes them at once.
        transport = getattr(process, "_transport", None)
        if transport is not None:
            with suppress(PermissionError):
                transport.close()


def _signal(process: asyncio.subprocess.Process, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, sign)
        elif process.returncode is None:
            process.send_signal(sign)
