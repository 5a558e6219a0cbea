"""What the tests of the image need from docker, podman or buildah."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from program_support import Program

TAG = "localhost/tgllm:test"
MINUTES = 60.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is built from."""

    context: Path
    base: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    pip_conf: str = ""
    """More lines of the secret ``pip.conf``."""


class Steps:
    """How long the steps of a build took."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[name] = time.monotonic() - began

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self._seconds.items())


class Engine(Protocol):
    """A builder of images."""

    name: str
    steps: Steps

    def build(self, recipe: Recipe) -> None:
        """Build the image and tag it ``TAG``."""
        ...

    def config(self) -> Mapping[str, Any]:
        """Its configuration, in Docker's form: Env, User, Entrypoint ..."""
        ...

    def description(self) -> str:
        """All that is recorded about it besides its files: configuration, history, build arguments."""
        ...

    def root(self) -> Path:
        """A folder with its files, to be read only."""
        ...

    def added_bytes(self) -> int:
        """How many bytes it adds to its base."""
        ...

    def make_volume(self) -> str:
        """An empty volume that belongs to whom the image's ``/data`` belongs."""
        ...

    async def start(self, volume: str, *arguments: str, entrypoint: Sequence[str] = (), **environment: str) -> Program:
        """Start a container: read-only root file system, the volume at ``/data``, the network of this machine."""
        ...

    def terminate(self, program: Program) -> None:
        """Send SIGTERM to the first process of a container."""
        ...

    def close(self) -> None:
        """Remove everything that was made."""
        ...


def run(*command: str | Path, seconds: float = 10 * MINUTES, **variables: str) -> str:
    """Run a command of an engine; its standard output."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False,
        env=os.environ | variables,
    )  # fmt: skip
    assert done.returncode == 0, (
        f"{' '.join(str(part) for part in command)}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    )
    return done.stdout


def answers(*command: str) -> bool:
    """Whether a command exists and succeeds."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=5 * MINUTES, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
