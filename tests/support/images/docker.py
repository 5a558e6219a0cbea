"""Docker and podman, which share a command line."""

import asyncio
import json
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from images.engine import TAG, Recipe, Steps, run
from program_support import Program


class Docker:
    """An engine with a command line like Docker's."""

    def __init__(self, name: str, scratch: Path, steps: Steps) -> None:
        self.name = name
        self.steps = steps
        self._scratch = scratch
        self._base = ""
        self._volumes: list[str] = []

    def build(self, recipe: Recipe) -> None:
        self._base = recipe.base
        arguments = [f"--build-arg={name}={value}" for name, value in recipe.arguments.items()]
        if recipe.pip_conf:
            secret = self._scratch / "pip.conf"
            secret.write_text(recipe.pip_conf)
            arguments.append(f"--secret=id=pip.conf,src={secret}")
        if self.name == "podman":
            arguments.append("--format=docker")
        with self.steps.timed("build"):
            run(self.name, "build", "--quiet", f"--tag={TAG}", *arguments, recipe.context, DOCKER_BUILDKIT="1")

    def config(self) -> Mapping[str, Any]:
        return json.loads(run(self.name, "image", "inspect", TAG))[0]["Config"]

    def description(self) -> str:
        history = run(self.name, "history", "--no-trunc", "--format={{.CreatedBy}}", TAG)
        return history + run(self.name, "image", "inspect", TAG)

    def root(self) -> Path:
        folder = self._scratch / "root"
        if not folder.exists():
            folder.mkdir()
            container = run(self.name, "create", TAG).strip()
            archive = self._scratch / "root.tar"
            run(self.name, "export", f"--output={archive}", container)
            run(self.name, "rm", container)
            # Not as root: device nodes are left out.
            run("tar", "--extract", f"--file={archive}", f"--directory={folder}", "--exclude=dev/*", "--no-same-owner")
            archive.unlink()
        return folder

    def added_bytes(self) -> int:
        sizes = [int(run(self.name, "image", "inspect", "--format={{.Size}}", tag)) for tag in (TAG, self._base)]
        return sizes[0] - sizes[1]

    def make_volume(self) -> str:
        self._volumes.append(f"tgllm-test-{uuid.uuid4().hex}")
        run(self.name, "volume", "create", self._volumes[-1])
        return self._volumes[-1]

    async def start(self, volume: str, *arguments: str, entrypoint: Sequence[str] = (), **environment: str) -> Program:
        first, rest = ([f"--entrypoint={entrypoint[0]}"], entrypoint[1:]) if entrypoint else ([], ())
        variables = [f"--env={name}={value}" for name, value in environment.items()]
        process = await asyncio.create_subprocess_exec(
            self.name, "run", "--rm", "--network=host", "--read-only", "--cap-drop=ALL",
            "--security-opt=no-new-privileges", f"--volume={volume}:/data", *variables, *first, TAG, *rest, *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return Program(process)

    def terminate(self, program: Program) -> None:
        # The client passes it on.
        program.send(signal.SIGTERM)

    def close(self) -> None:
        for volume in self._volumes:
            run(self.name, "volume", "rm", "--force", volume)
        run(self.name, "image", "rm", "--force", TAG)
