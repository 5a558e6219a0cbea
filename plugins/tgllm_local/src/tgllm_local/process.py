"""Child process of a loaded model; see ``tgllm_local.child``."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from signal import SIGKILL

from tgllm.api.errors import ProviderError, Unavailable
from tgllm.api.types import JsonObject
from tgllm.providers.json_values import as_object, as_text
from tgllm_local.errors import crashed, killed, not_loaded

__all__ = ["ModelProcess", "Order", "model_process"]

COMMAND = (sys.executable, "-P", "-m", "tgllm_local.child")

_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "TMP", "TEMP", "SYSTEMROOT", "GGML_")
"""Beginnings of the environment variables that the child gets: keys and tokens are none of them."""
_KEPT_LINES = 20
_LONGEST_LINE = 2**16
_STOP_SECONDS = 5.0
_DEATH_SECONDS = 1.0
"""Time for the kernel to report the end of a child whose connection broke."""


@dataclass(frozen=True, slots=True)
class Order:
    """Model and settings of a child."""

    model: str
    path: str
    key: str
    """Key of the child's HTTP server."""
    context_tokens: int
    """Of one conversation."""
    parallel: int
    threads: int


class ModelProcess:
    """Running child whose model is loaded."""

    def __init__(self, model: str, process: Process, base_url: str) -> None:
        """Wrap a child that serves at ``base_url``."""
        self.base_url = base_url
        self._model = model
        self._process = process

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the child has ended."""
        return self._process.returncode is not None

    async def death(self) -> ProviderError | None:
        """Return the reason why the child has ended; None if it runs."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DEATH_SECONDS):
                return _death(self._model, await self._process.wait())
        return None


@asynccontextmanager
async def model_process(order: Order, load_seconds: float) -> AsyncGenerator[ModelProcess]:
    """Start a child and load its model; end it when the context ends.

    Raises:
        ProviderError: the model can't be loaded, or not within ``load_seconds``.
    """
    # A session of its own: a Ctrl-C in the bot's terminal must not end answers that the bot still sends.
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_variables(os.environ), start_new_session=True
    )
    log: deque[str] = deque(maxlen=_KEPT_LINES)
    reading = asyncio.create_task(_read_log(process, log), name="local model log")
    try:
        yield ModelProcess(order.model, process, await _load(process, order, reading, log, load_seconds))
    finally:
        try:
            await _stop(process)
        finally:
            reading.cancel()
            await asyncio.wait({reading})


async def _load(
    process: Process, order: Order, reading: "asyncio.Task[None]", log: "deque[str]", seconds: float
) -> str:
    """Give the order, and return the address of the child's server."""
    assert process.stdin is not None  # noqa: S101  opened as a pipe
    assert process.stdout is not None  # noqa: S101  opened as a pipe
    try:
        async with asyncio.timeout(seconds):
            # The pipe may be closed already, if the child could not start.
            with suppress(ConnectionError):
                process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
                await process.stdin.drain()
            answer = _parsed(await process.stdout.readline())
            if base_url := as_text(answer.get("base_url")):
                return base_url
            returncode = await process.wait()
            await asyncio.wait({reading})
    except TimeoutError:
        raise Unavailable(f"{order.model} was not loaded within {seconds:g} s (load_seconds)") from None
    if answer:
        raise not_loaded(order.model, as_text(answer.get("error")), log)
    raise _death(order.model, returncode)


def _death(model: str, returncode: int) -> ProviderError:
    return killed(model) if returncode == -SIGKILL else crashed(model, returncode)


def _parsed(line: bytes) -> JsonObject:
    try:
        return as_object(json.loads(line))
    except ValueError:
        return {}


async def _read_log(process: Process, log: "deque[str]") -> None:
    """Keep the last lines of standard error; reading on keeps the child from blocking."""
    assert process.stderr is not None  # noqa: S101  it is a pipe
    rest = b""
    while data := await process.stderr.read(_LONGEST_LINE):
        *lines, rest = (rest[-_LONGEST_LINE:] + data).split(b"\n")
        log.extend(line.decode(errors="replace") for line in lines)


async def _stop(process: Process) -> None:
    """End the child: SIGTERM, then SIGKILL."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_KEPT_VARIABLES)}
