"""GGUF files with a header only, a module that stands in for xllamacpp, and a fake of llama.cpp's HTTP server."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tgllm.testing.fake_providers import FakeDipseek, FakeError
from tgllm.testing.fake_providers.dipseek_api.body import ChatBody, Message
from tgllm.testing.fake_providers.dipseek_errors import DipseekErrors

__all__ = ["TINY", "FakeLlama", "gguf", "write_model", "write_xllamacpp"]

TINY: Mapping[str, Any] = {
    "general.architecture": "llama",
    "llama.context_length": 8192,
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "tokenizer.ggml.tokens": ["a", "b"],
    "tokenizer.chat_template": "{{ messages }}",
}
"""The metadata of SmolLM2-135M, as far as they count."""

_XLLAMACPP = """
import json, os, signal, sys, time
from pathlib import Path
from types import SimpleNamespace


class CommonParams(SimpleNamespace):
    def __init__(self):
        super().__init__(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())


class Server:
    listening_address = "http://127.0.0.1:9"

    def __init__(self, parameters):
        path = Path(parameters.model.path)
        told = {"parameters": parameters, "environ": dict(os.environ), "pid": os.getpid(), "path": sys.path}
        text = json.dumps(told, default=lambda it: list(it) if isinstance(it, set) else vars(it))
        path.with_suffix(".seen").write_text(text)
        print("a print of llama.cpp", flush=True)
        exec(path.with_suffix(".py").read_text() if path.with_suffix(".py").exists() else "")
"""


def gguf(metadata: Mapping[str, Any], *, version: int = 3) -> bytes:
    """The header of a file with these metadata. Source: docs/gguf.md of ggml."""
    pairs = b"".join(_text(key) + _typed(value) for key, value in metadata.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(metadata)) + pairs


def write_model(path: Path, **changes: Any) -> Path:
    """Write a model as small as ``TINY``; ``changes`` are other metadata, with ``__`` for a dot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf({**TINY, **{key.replace("__", "."): value for key, value in changes.items()}}))
    return path


def write_xllamacpp(folder: Path) -> Path:
    """Write a module ``xllamacpp`` that loads nothing.

    Its server notes the parameters in a file ``.seen`` beside the model's, and runs the code in the file ``.py`` there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "xllamacpp.py").write_text(_XLLAMACPP)
    return folder


class LlamaErrors(DipseekErrors):
    """Errors as llama.cpp's server has been seen to send them."""

    def too_long(self, tokens: int, limit: int) -> FakeError:
        message = f"request ({tokens} tokens) exceeds the available context size ({limit} tokens), try increasing it"
        error = {"code": 400, "message": message, "type": "exceed_context_size_error"}
        return FakeError(400, {"error": {**error, "n_prompt_tokens": tokens, "n_ctx": limit}})


class FakeLlama(FakeDipseek):
    """Chat completions of llama.cpp's server, which has the same format; any key is right."""

    def __init__(self, *, write_bytes: int | None = 7) -> None:
        super().__init__(write_bytes=write_bytes)
        self.add_model("tiny", context_window=8192, reasoning=True)

    @property
    def errors(self) -> DipseekErrors:
        return LlamaErrors()

    def _checked(self, raw: object) -> ChatBody:
        # llama.cpp takes "none", which DeepSeek's API does not know.
        thinks_not = isinstance(raw, dict) and raw.get("reasoning_effort") == "none"
        return super()._checked({**raw, "reasoning_effort": None} if thinks_not else raw)

    def _lacks_reasoning(self, message: Message) -> bool:
        return False

    def _is_forced(self, body: ChatBody) -> bool:
        return False

    def _check_key(self, request: web.Request) -> None:
        assert self._given_key(request), "the child's key is missing"


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _typed(value: Any) -> bytes:
    match value:
        case str():
            return struct.pack("<I", 8) + _text(value)
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
        case [int(), *_]:
            return struct.pack("<IIQ", 9, 4, len(value)) + struct.pack(f"<{len(value)}I", *value)
        case _:
            raise TypeError(value)
