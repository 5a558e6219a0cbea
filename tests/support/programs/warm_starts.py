"""Starts of ``python -m tgllm`` in tests, without the time that its imports take.

The program is a real process with files, signals and an exit code of its own; it is forked from one that has imported
most of it (``prefork.py``). Tests of what a start loads, or how long it takes, start the interpreter by other words.
"""

import array
import atexit
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prefork import MOST_REQUEST_BYTES

__all__ = ["warm_starts"]

_SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER`` of Linux."""
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "COV_", "COVERAGE_", "OPENSSL_")
"""Beginnings of the names of variables that are read when an interpreter starts."""
_TAKEN_OVER = {"PYTHONPATH", "PYTHONUNBUFFERED"}
_OWN_STARTS = ("sitecustomize", "usercustomize")
"""Modules that an interpreter imports when it starts."""


def _at_start(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return what an interpreter reads of an environment when it starts."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_OF_THE_INTERPRETER) and name not in _TAKEN_OVER
    }


class _Prefork:
    """The process that forks programs; it is started when the first one is needed, and ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._adopt = ctypes.CDLL(None, use_errno=True).prctl
        self.environment = dict(_at_start(os.environ))

    def start(self, request: Mapping[str, Any], files: list[int]) -> int:
        """Return the id of a new child of this process."""
        message = json.dumps(request).encode()
        assert len(message) < MOST_REQUEST_BYTES
        with self._lock:
            channel = self._channel = self._channel or self._open()
            # Only meanwhile: other orphans are the business of whoever adopts them elsewhere.
            self._adopt(_SUBREAPER, 1, 0, 0, 0)
            try:
                channel.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
                pid = int(channel.recv(20) or b"0")
            finally:
                self._adopt(_SUBREAPER, 0, 0, 0, 0)
        assert pid, "the process that forks programs has ended"
        return pid

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for each in (ours, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_REQUEST_BYTES)
        command = [sys.executable, str(Path(__file__).with_name("prefork.py")), str(theirs.fileno())]
        with theirs:
            process = _Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

        def end() -> None:
            ours.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)

        atexit.register(end)
        return ours


_Popen = subprocess.Popen


def _popen(prefork: _Prefork) -> "type[subprocess.Popen[Any]]":
    """Return a ``Popen`` that asks the prefork process where it can."""

    class WarmPopen(_Popen[Any]):
        def _execute_child(self, args: Any, executable: Any, preexec_fn: Any, close_fds: Any, *others: Any) -> None:
            # As in subprocess.py since Python 3.11.
            pass_fds, cwd, env, _, _, shell, *pipes = others[:12]
            restore_signals, gid, gids, uid, umask, new_session, group = others[12:19]
            environment = dict(os.environ if env is None else env)
            is_usual = (
                executable is None and preexec_fn is None and close_fds and not pass_fds and not shell
                and restore_signals and gid is gids is uid is None and umask == group == -1
            )  # fmt: skip
            folder = Path(cwd or ".")
            if not is_usual or not folder.is_dir() or not _is_warm(args, environment, prefork):
                super()._execute_child(args, executable, preexec_fn, close_fds, *others)
                return
            p2cread, _, _, c2pwrite, _, errwrite = pipes
            files = [own if file == -1 else file for own, file in enumerate((p2cread, c2pwrite, errwrite))]
            request = {
                "args": args[3:], "cwd": str(folder.absolute()), "env": environment, "new_session": new_session,
                "ignored": [each for each in signal.valid_signals() if signal.getsignal(each) is signal.SIG_IGN],
            }  # fmt: skip
            self.pid = prefork.start(request, files)
            self._child_created = True
            self._close_pipe_fds(*pipes)

    return WarmPopen


@contextmanager
def warm_starts() -> Iterator[None]:
    """Within the block, ``[sys.executable, "-m", "tgllm", ...]`` starts a forked process, where Linux allows it."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            patch.setattr(subprocess, "Popen", _warm_popen())
        yield


@cache
def _warm_popen() -> "type[subprocess.Popen[Any]]":
    return _popen(_Prefork())


def _is_warm(args: Any, environment: Mapping[str, str], prefork: _Prefork) -> bool:
    if not isinstance(args, list | tuple) or [*args[:3]] != [sys.executable, "-m", "tgllm"]:
        return False
    added = [Path(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep)]
    has_own_start = any((entry / f"{name}.py").exists() for entry in added for name in _OWN_STARTS)
    return not has_own_start and _at_start(environment) == prefork.environment
