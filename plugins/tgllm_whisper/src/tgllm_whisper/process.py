"""Child process with a loaded model; see ``tgllm_whisper.child``."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from signal import SIGKILL

from tgllm.api.errors import ProviderError
from tgllm.api.types import JsonObject
from tgllm.providers.json_values import as_object
from tgllm.providers.network import real_requests_allowed
from tgllm_whisper.errors import crashed, killed

__all__ = ["Job", "ModelProcess", "Order"]

COMMAND = (sys.executable, "-P", "-m", "tgllm_whisper.child")

_KEPT_VARIABLES = (
    *("PATH", "HOME", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "TMP", "TEMP", "SYSTEMROOT", "CT2_", "OMP_"),
    # For downloads; a token of Hugging Face is none of them.
    *("HF_HUB_", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_", "REQUESTS_CA_BUNDLE"),
)
"""Beginnings of the environment variables that the child gets, in capitals: keys and tokens are none of them."""
_KEPT_LINES = 20
_LONGEST_LINE = 2**16
_LONGEST_ANSWER = 2**26
"""Bytes of a line with a transcript."""


@dataclass(frozen=True, slots=True)
class Order:
    """Model and settings of a child."""

    model: str
    models: str
    """Folder of downloaded models."""
    compute_type: str
    threads: int
    free: int | None
    """Bytes of memory that the child may use; None: not limited."""


@dataclass(frozen=True, slots=True)
class Job:
    """A recording to transcribe."""

    path: str
    language: str | None
    """Its language; None: found by the model."""
    hint: str | None
    """Language to use if the model is unsure."""
    beam_size: int
    max_seconds: float
    work_seconds: float


class ModelProcess:
    """Running child. The reader of its answers is one caller at a time."""

    def __init__(self, model: str, process: Process) -> None:
        """Wrap a started child."""
        self._model = model
        self._process = process
        self._log: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reading = asyncio.create_task(self._read_log(), name="whisper log")

    @classmethod
    async def start(cls, model: str) -> "ModelProcess":
        """Start a child, which waits for its order."""
        # A session of its own: a Ctrl-C in the bot's terminal must not end transcriptions that the bot still awaits.
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=variables(os.environ),
            start_new_session=True,
            limit=_LONGEST_ANSWER,
        )
        return cls(model, process)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the child has ended."""
        return self._process.returncode is not None

    @property
    def log(self) -> str:
        """The last lines of its standard error."""
        return "\n".join(self._log)

    async def send(self, message: Order | Job) -> None:
        """Send an order or a job; a broken pipe shows when the answer is read."""
        assert self._process.stdin is not None  # noqa: S101  it is a pipe
        with suppress(ConnectionError):
            self._process.stdin.write(json.dumps(asdict(message)).encode() + b"\n")
            await self._process.stdin.drain()

    async def answer(self) -> JsonObject:
        """Return the next answer.

        Raises:
            ProviderError: the child has ended.
        """
        assert self._process.stdout is not None  # noqa: S101  it is a pipe
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise await self._death()
        return as_object(json.loads(line))

    async def end(self) -> None:
        """End the child at once; it has nothing to clean up."""
        try:
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.kill()
            await self._process.wait()
        finally:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _death(self) -> ProviderError:
        returncode = await self._process.wait()
        return killed(self._model) if returncode == -SIGKILL else crashed(self._model, returncode)

    async def _read_log(self) -> None:
        """Keep the last lines of standard error; reading on keeps the child from blocking."""
        assert self._process.stderr is not None  # noqa: S101  it is a pipe
        rest = b""
        while data := await self._process.stderr.read(_LONGEST_LINE):
            *lines, rest = (rest[-_LONGEST_LINE:] + data).split(b"\n")
            self._log.extend(line.decode(errors="replace") for line in lines)


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the child gets."""
    kept = {name: value for name, value in environ.items() if name.upper().startswith(_KEPT_VARIABLES)}
    offline = {} if real_requests_allowed() else {"HF_HUB_OFFLINE": "1"}
    return {**kept, **offline, "HF_HUB_DISABLE_TELEMETRY": "1"}
