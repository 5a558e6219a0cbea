"""Child process that loads one GGUF file and serves it over HTTP on the loopback interface.

Run as ``python -m tgllm_local.child``; it needs only xllamacpp. Its standard input gets one line of JSON, the
``tgllm_local.process.Order``, and stays open: the child ends when it is closed, which the kernel does when the bot
dies. Its standard output gets one line of JSON: ``{"base_url": ...}``, or ``{"error": ...}``.
"""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]

_PROMPT_CACHE_MIB = 256
_KEEP_ALIVE_SECONDS = 15


def main() -> None:
    """Load the model of the order, and serve it until standard input ends."""
    # A Ctrl-C in the bot's terminal is the bot's to handle; SIGTERM ends the process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _answers()
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_bot, daemon=True).start()
    _be_expendable()
    try:
        server = _serve(order)
    except Exception as error:  # noqa: BLE001  whatever llama.cpp raises is the reason that the bot reports
        os.write(answers, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        sys.exit(1)
    os.write(answers, json.dumps({"base_url": server.listening_address}).encode() + b"\n")
    threading.Event().wait()


def _answers() -> int:
    """Return a copy of standard output for the answer, and redirect the prints of llama.cpp to standard error."""
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _end_with_the_bot() -> None:
    # Without a clean-up, which would wait for a running generation or load.
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    os._exit(0)


def _be_expendable() -> None:
    """Be the process that the OOM killer ends, not the bot."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _serve(order: dict[str, Any]) -> Any:  # noqa: ANN401  the server of xllamacpp, which has no types
    # Imported by name, because it has no types; a failure is reported as an answer.
    xllamacpp: Any = import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = order["path"]
    parameters.model_alias = {order["model"]}
    parameters.api_keys = [order["key"]]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_parallel = order["parallel"]
    # llama.cpp divides the context among the answers that it writes at the same time.
    parameters.n_ctx = order["context_tokens"] * order["parallel"]
    parameters.ctx_shift = False
    # Without it, requests with tools are refused.
    parameters.use_jinja = True
    parameters.cpuparams.n_threads = order["threads"]
    parameters.cpuparams_batch.n_threads = order["threads"]
    parameters.cache_ram_mib = _PROMPT_CACHE_MIB
    parameters.sse_ping_interval = _KEEP_ALIVE_SECONDS
    parameters.verbosity = 1
    parameters.endpoint_slots = False
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main()
