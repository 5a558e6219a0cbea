"""``python -m benchmarks.command_calls ARGS``: the calls of ``tgllm ARGS``, twice in one process, as two lines of JSON.

The first line has the calls in a fresh process, without the bodies of loaded modules; the second those of the same
command after everything is loaded.
"""

import contextlib
import io
import json
import sys
from dataclasses import asdict

from benchmarks.call_counter import Calls, counting_calls
from tgllm.cli.main import main


def _calls_of(args: list[str]) -> Calls:
    with contextlib.redirect_stdout(io.StringIO()), counting_calls() as counter:
        code = main(args)
        calls = counter.calls()
    if code:
        raise SystemExit(code)
    return calls


if __name__ == "__main__":
    for _ in range(2):
        print(json.dumps(asdict(_calls_of(sys.argv[1:]))))
