"""Model files of a folder."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tgllm.api.types import ModelInfo
from tgllm_local.gguf import BadFile, Value, read_header

__all__ = ["Files", "ModelFile", "find_files"]

_SHARD = re.compile(r"-(?P<number>\d{5})-of-(?P<count>\d{5})$")
_NO_CHAT = {"bert", "clip", "jina-bert-v2", "jina-bert-v3", "modern-bert", "nomic-bert", "nomic-bert-moe", "t5encoder"}
"""Architectures of models that compute embeddings or read images."""
_BYTES_PER_NUMBER = 2
"""Of the context, which llama.cpp stores as 16-bit floats."""
_OVERHEAD = 150 * 2**20
"""Bytes that llama.cpp takes besides weights and context: buffers of the computation, and the process itself."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A chat model in a GGUF file, or in several that belong together."""

    id: str
    path: Path
    """The first file; llama.cpp finds the others by their names."""
    size: int
    """Bytes of all files."""
    changed: int = 0
    """Time of the last change of the first file, in nanoseconds: a replaced file is loaded anew."""
    trained_context: int | None = None
    bytes_per_token: int = 0
    """Memory that one token of the context takes; 0 if unknown."""
    reasoning: bool = False
    tools: bool = False
    """Whether its chat template describes tools; others are not offered any, since they were not trained for them."""

    def context(self, wanted: int) -> int:
        """Return the context window in tokens, at most ``wanted``."""
        return min(wanted, self.trained_context or wanted)

    def memory(self, tokens: int) -> int:
        """Return about the bytes of memory that the model needs with a context of ``tokens`` in all."""
        return self.size + tokens * self.bytes_per_token + _OVERHEAD

    def info(self, context_tokens: int) -> ModelInfo:
        """Return the model as the bot lists it."""
        window = self.context(context_tokens)
        return ModelInfo(self.id, context_window=window, reasoning=self.reasoning, tools=self.tools)


@dataclass(frozen=True, slots=True)
class Files:
    """The models of a place, and the files there that are none."""

    models: Mapping[str, ModelFile] = field(default_factory=dict[str, ModelFile])
    """By id."""
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    """Reason, by the id that the model would have."""


def find_files(place: Path) -> Files:
    """Return the models of a file or a folder with its subfolders."""
    models: dict[str, ModelFile] = {}
    problems: dict[str, str] = {}
    for path in _paths(place):
        model_id = _id(path, place, {*models, *problems})
        try:
            found = _read(path, model_id)
        except BadFile as error:
            problems[model_id] = str(error)
        except OSError as error:
            problems[model_id] = f"it can't be read ({error.strerror})"
        else:
            if found is not None:
                models[model_id] = found
    return Files(models, problems)


def _paths(place: Path) -> Iterable[Path]:
    if place.is_dir():
        found = (path for path in place.rglob("*") if path.suffix.lower() == ".gguf" and path.is_file())
        # The second and further parts of a model, and the readers of images that come beside models.
        return sorted(path for path in found if _is_first(path) and not path.name.lower().startswith("mmproj"))
    return [place] if place.exists() else []


def _is_first(path: Path) -> bool:
    shard = _SHARD.search(path.stem)
    return shard is None or int(shard["number"]) == 1


def _id(path: Path, place: Path, taken: set[str]) -> str:
    """Return the file's name without its ending; with its folders if another file has the same name."""
    name = _SHARD.sub("", path.stem)
    if _plain(name) in taken:
        name = _SHARD.sub("", path.relative_to(place).with_suffix("").as_posix())
    return _plain(name)


def _plain(name: str) -> str:
    return "".join(sign if sign.isprintable() and not sign.isspace() else "-" for sign in name) or "-"


def _read(path: Path, model_id: str) -> ModelFile | None:
    """Return the model in a file; None if it is no chat model."""
    header = read_header(path)
    architecture = str(header.get("general.architecture", ""))
    if architecture in _NO_CHAT:
        return None
    template = str(header.get("tokenizer.chat_template", ""))
    return ModelFile(
        model_id,
        path,
        sum(part.stat().st_size for part in _parts(path)),
        changed=path.stat().st_mtime_ns,
        trained_context=_number(header, f"{architecture}.context_length") or None,
        bytes_per_token=_bytes_per_token(header, architecture),
        reasoning="enable_thinking" in template or "<think>" in template,
        tools="tools" in template,
    )


def _parts(path: Path) -> list[Path]:
    shard = _SHARD.search(path.stem)
    if shard is None:
        return [path]
    count, stem = int(shard["count"]), _SHARD.sub("", path.stem)
    parts = [path.with_name(f"{stem}-{number:05d}-of-{count:05d}{path.suffix}") for number in range(1, count + 1)]
    if missing := [part.name for part in parts if not part.is_file()]:
        raise BadFile(f"its part {missing[0]} is missing")
    return parts


def _bytes_per_token(header: Mapping[str, Value], architecture: str) -> int:
    """Return the bytes of the keys and values of all layers for one token."""
    layers = _number(header, f"{architecture}.block_count")
    heads = _number(header, f"{architecture}.attention.head_count")
    width = _number(header, f"{architecture}.embedding_length")
    size = width // heads if heads else 0
    keys = _number(header, f"{architecture}.attention.key_length") or size
    values = _number(header, f"{architecture}.attention.value_length") or size
    stored = header.get(f"{architecture}.attention.head_count_kv", heads)
    total = sum(stored) if isinstance(stored, tuple) else layers * (int(stored) if isinstance(stored, int) else heads)
    return total * (keys + values) * _BYTES_PER_NUMBER


def _number(header: Mapping[str, Value], key: str) -> int:
    """Return a number that is not negative; the largest of several, 0 for none."""
    value = header.get(key, 0)
    numbers = value if isinstance(value, tuple) else (value,)
    return max((number for number in numbers if isinstance(number, int) and number > 0), default=0)
