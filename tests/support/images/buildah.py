"""buildah as root, without a daemon and without a registry."""

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from images.engine import TAG, Recipe, Steps, run
from images.stand_in import fill_base, fill_wheelhouse, python_of_the_base
from program_support import Program

WHEELHOUSE = "/wheelhouse"
# What a container has: its own mounts and processes, a root file system that can't be written, and the volume.
CONTAINER = """
set -eu
mount --bind "$ROOT" "$ROOT"
mount --bind "$VOLUME" "$ROOT/data"
mount -o remount,ro,bind "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot --userspec="$OWNER" "$ROOT" /usr/bin/env -i -C "$FOLDER" "$@"
"""


class Buildah:
    """buildah with a storage of its own; a stand-in for the base image is made from this machine's apt sources."""

    name = "buildah"

    def __init__(self, scratch: Path, steps: Steps) -> None:
        self._scratch = scratch
        self.steps = steps
        self._command = (
            "buildah", "--root", str(scratch / "storage"), "--runroot", str(scratch / "run"), "--storage-driver", "vfs",
        )  # fmt: skip
        self._root: Path | None = None
        self._sizes_in_base: dict[str, int] = {}

    def _run(self, *arguments: str | Path) -> str:
        return run(*self._command, *arguments)

    async def prepare(self, recipe: Recipe) -> None:
        """Make the base image and a folder with the wheels that the image needs."""
        container = self._run("from", "scratch").strip()
        folder = Path(self._run("mount", container).strip())
        wheels = self._scratch / "wheels"
        with self.steps.timed("base, beside it the wheels"):
            await asyncio.gather(
                asyncio.to_thread(fill_base, folder),
                asyncio.to_thread(fill_wheelhouse, wheels, recipe.context, python_of_the_base()),
            )
        self._sizes_in_base = dict(_sizes(folder))
        with self.steps.timed("commit of the base"):
            self._run("commit", "--quiet", "--rm", container, recipe.base)

    def build(self, recipe: Recipe) -> None:
        asyncio.run(self.prepare(recipe))
        secret = self._scratch / "pip.conf"
        secret.write_text(f"[global]\nno-index = true\nfind-links = {WHEELHOUSE}\n{recipe.pip_conf}\n")
        arguments = [f"--build-arg={name}={value}" for name, value in recipe.arguments.items()]
        with self.steps.timed("build"):
            self._run(
                "bud", "--format=docker", "--isolation=chroot", "--pull-never", "--layers=false", *arguments,
                f"--secret=id=pip.conf,src={secret}", f"--volume={self._scratch / 'wheels'}:{WHEELHOUSE}:ro",
                f"--tag={TAG}", recipe.context,
            )  # fmt: skip

    def _inspect(self) -> Mapping[str, Any]:
        return json.loads(self._run("inspect", "--type=image", TAG))

    def config(self) -> Mapping[str, Any]:
        return self._inspect()["Docker"]["config"]

    def description(self) -> str:
        return json.dumps(self._inspect())

    def root(self) -> Path:
        if self._root is None:
            container = self._run("from", "--pull-never", TAG).strip()
            self._root = Path(self._run("mount", container).strip())
        return self._root

    def added_bytes(self) -> int:
        return sum(size for name, size in _sizes(self.root()) if self._sizes_in_base.get(name) != size)

    def make_volume(self) -> str:
        folder = tempfile.mkdtemp(prefix="volume-", dir=self._scratch)
        # As Docker does with a new named volume.
        owner = (self.root() / "data").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        Path(folder).chmod(owner.st_mode & 0o777)
        return folder

    async def start(self, volume: str, *arguments: str, entrypoint: Sequence[str] = (), **environment: str) -> Program:
        config = self.config()
        variables = [*config["Env"], *(f"{name}={value}" for name, value in environment.items())]
        command = [*(entrypoint or config["Entrypoint"]), *(arguments or ([] if entrypoint else config["Cmd"]))]
        process = await asyncio.create_subprocess_exec(
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", CONTAINER, "sh", *variables, *command,
            env={
                "PATH": os.environ["PATH"], "ROOT": str(self.root()), "VOLUME": volume,
                "OWNER": config["User"], "FOLDER": config["WorkingDir"],
            },
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return Program(process)

    def terminate(self, program: Program) -> None:
        (first,) = _children(program.pid)
        os.kill(first, signal.SIGTERM)

    def close(self) -> None:
        shutil.rmtree(self._scratch)


def _sizes(root: Path) -> Iterator[tuple[str, int]]:
    """The ordinary files of a folder, by their paths in it, and their sizes."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(root)), path.stat().st_size


def _children(parent: int) -> list[int]:
    """The processes that a process has started, from what follows the name in /proc/PID/stat."""
    found = list[int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text().rpartition(")")
        except OSError:
            continue
        if int(fields.split()[1]) == parent:
            found.append(int(stat.parent.name))
    return found
