"""Child process that loads a model and transcribes recordings, one after another.

Run as ``python -m tgllm_whisper.child``. Its standard input gets lines of JSON: one ``tgllm_whisper.process.Order``,
then each ``Job`` after the answer to the one before. It stays open: the child ends when it is closed, which the kernel
does when the bot dies. Its standard output gets lines of JSON: ``{"stage": "download"}`` if the model is downloaded,
``{"stage": "ready"}``, then for each job ``{"stage": "begun"}`` and a transcript, or ``{"error": ..., "reason": ...}``.
"""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tgllm.api.clock import SystemClock
from tgllm_whisper.audio import Broken, Empty, NoSound
from tgllm_whisper.speech import transcribe

__all__ = ["main"]

_OVERHEAD = 300 * 2**20
"""Bytes that are taken besides the weights: the libraries, and the computation."""
_WEIGHTS = {"int8": 1.0, "int8_float32": 1.2, "float32": 2.2}
"""Memory of the weights in units of the file, in which they have 16 bits."""


class _Refused(Exception):
    """The model can't be used."""

    def __init__(self, kind: str, reason: str, **figures: int) -> None:
        super().__init__(reason)
        self.answer: dict[str, Any] = {"error": kind, "reason": reason, **figures}


class _Answers:
    """Standard output; what libraries print goes to standard error."""

    def __init__(self) -> None:
        self._file = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(self, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(self._file, data) :]


def main() -> None:
    """Load the model of the order, and transcribe until standard input ends."""
    # A Ctrl-C in the bot's terminal is the bot's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers, lines = _Answers(), SimpleQueue[bytes]()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    order = json.loads(lines.get())
    _be_expendable()
    try:
        model = _load(order, answers)
    except _Refused as refused:
        answers.say(refused.answer)
        sys.exit(1)
    answers.say({"stage": "ready"})
    while True:
        job = json.loads(lines.get())
        answers.say({"stage": "begun"})
        answers.say(_transcribed(model, job))


def _read(lines: "SimpleQueue[bytes]") -> None:
    """Read the orders; end with the bot, without a clean-up, which would wait for the computation."""
    with suppress(OSError):
        while line := sys.stdin.buffer.readline():
            lines.put(line)
    os._exit(0)


def _be_expendable() -> None:
    """Be the process that the OOM killer ends, not the bot."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _load(order: dict[str, Any], answers: _Answers) -> Any:  # noqa: ANN401  the model has no types here
    # Imported by name, because it has no types; a failure is reported as an answer.
    try:
        whisper: Any = import_module("faster_whisper")
    except Exception as error:
        raise _Refused("model", f"faster-whisper can't be imported: {error}") from error
    folder = _folder(whisper, order, answers)
    _check_memory(order, folder)
    try:
        return whisper.WhisperModel(
            str(folder),
            device="cpu",
            compute_type=order["compute_type"],
            cpu_threads=order["threads"],
            num_workers=1,
            local_files_only=True,
        )
    except Exception as error:
        # The messages of the library contain the path.
        raise _Refused("model", str(error).replace(f"{folder}{os.sep}", "")) from error


def _folder(whisper: Any, order: dict[str, Any], answers: _Answers) -> Path:  # noqa: ANN401  the library has no types here
    """Return the folder of the model, which is downloaded if it is not there."""
    name, folder = order["model"], Path(order["model"]).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute():
        raise _Refused("model", f"there is no folder {folder}")
    try:
        found = Path(whisper.download_model(name, cache_dir=order["models"], local_files_only=True))
        # A folder whose download was interrupted has no weights.
        if (found / "model.bin").exists():
            return found
    except ValueError as error:
        raise _Refused("model", str(error)) from error
    except Exception as error:  # noqa: BLE001  not there, whatever the library raises for it
        sys.stderr.write(f"not found: {type(error).__name__}\n")
    answers.say({"stage": "download"})
    try:
        return Path(whisper.download_model(name, cache_dir=order["models"]))
    except Exception as error:
        raise _Refused("download", f"{type(error).__name__}: {error}") from error


def _check_memory(order: dict[str, Any], folder: Path) -> None:
    weights, free = folder / "model.bin", order["free"]
    if not weights.is_file():
        raise _Refused("model", "model.bin is missing in its folder")
    need = int(weights.stat().st_size * _WEIGHTS[order["compute_type"]]) + _OVERHEAD
    if free is not None and need > free:
        raise _Refused("memory", "", need=need, free=free)


def _transcribed(model: Any, job: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  the library has no types here
    try:
        return transcribe(model, job, SystemClock())
    except NoSound:
        return {"error": "no_sound"}
    except Empty:
        return {"error": "empty"}
    except (Broken, OSError) as error:
        return {"error": "broken", "reason": str(error)}
    except Exception as error:  # noqa: BLE001  whatever the library raises is reported
        return {"error": "failed", "reason": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
