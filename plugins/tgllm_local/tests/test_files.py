"""Which files are models, and what their headers tell."""

from pathlib import Path
from typing import Any

import pytest

from llama_support import TINY, gguf, write_model
from tgllm_local.files import find_files
from tgllm_local.gguf import BadFile, read_header

MB = 2**20


def test_a_folder_with_its_subfolders(tmp_path: Path) -> None:
    for name in ("a.gguf", "B.GGUF", "maker/model/c.gguf", "notes.txt", "mmproj-a.gguf"):
        write_model(tmp_path / name)

    assert sorted(find_files(tmp_path).models) == ["B", "a", "c"]


def test_a_single_file_of_any_name(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model of mine.bin")

    assert list(find_files(path).models) == ["model-of-mine"]


def test_nothing_where_nothing_is(tmp_path: Path) -> None:
    assert find_files(tmp_path / "missing").models == {}


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("x/model.gguf", "y/model.gguf"):
        write_model(tmp_path / name)

    assert sorted(find_files(tmp_path).models) == ["model", "y/model"]


def test_what_the_header_tells(tmp_path: Path) -> None:
    model = find_files(write_model(tmp_path / "tiny.gguf")).models["tiny"]

    assert model.context(4096) == 4096
    assert model.context(100_000) == 8192
    # 30 layers of 3 heads of 64 numbers, for keys and for values, of two bytes each.
    assert model.bytes_per_token == 30 * 3 * 64 * 2 * 2
    assert model.memory(8192) == model.size + 8192 * model.bytes_per_token + 150 * MB
    assert not model.reasoning


def test_a_model_that_thinks(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", tokenizer__chat_template="{% if enable_thinking %}<think>{% endif %}")

    assert find_files(path).models["m"].reasoning


def test_a_model_that_calls_tools(tmp_path: Path) -> None:
    write_model(tmp_path / "a.gguf", tokenizer__chat_template="{% for tool in tools %}{{ tool }}{% endfor %}")
    write_model(tmp_path / "b.gguf")

    found = find_files(tmp_path).models

    assert (found["a"].info(512).tools, found["b"].info(512).tools) == (True, False)


def test_heads_that_differ_by_layer(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", llama__attention__head_count_kv=[1, 2, 3])

    assert find_files(path).models["m"].bytes_per_token == 6 * 64 * 2 * 2


def test_a_model_in_several_files_is_one(tmp_path: Path) -> None:
    for number in (1, 2):
        write_model(tmp_path / f"big-0000{number}-of-00002.gguf")
    (model,) = find_files(tmp_path).models.values()

    assert model.id == "big"
    assert model.size == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    write_model(tmp_path / "big-00001-of-00002.gguf")

    assert find_files(tmp_path).problems == {"big": "its part big-00002-of-00002.gguf is missing"}


@pytest.mark.parametrize("architecture", ["bert", "clip"])
def test_no_chat_model_is_left_out(tmp_path: Path, architecture: str) -> None:
    write_model(tmp_path / "m.gguf", general__architecture=architecture)

    assert find_files(tmp_path).models == {}
    assert find_files(tmp_path).problems == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"<html>", "no GGUF file"),
        (b"version https://git-lfs.github.com/spec/v1", "no GGUF file"),
        (gguf(TINY)[:40], "truncated"),
        (gguf(TINY)[:-3], "truncated"),
        (gguf(TINY, version=9), "version 9"),
        (b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\xff" * 8, "broken"),
        (b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\1" + b"\0" * 7 + b"\xff" * 8, "truncated"),
        (gguf({})[:16] + b"\1" + b"\0" * 7 + b"\1" + b"\0" * 7 + b"a" + b"\x63\0\0\0", "broken"),
    ],
)
def test_a_file_that_is_no_model_has_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)

    assert reason in find_files(path).problems["m"]
    with pytest.raises(BadFile):
        read_header(path)


def test_false_counts_read_no_more_than_the_file(tmp_path: Path) -> None:
    """An array that claims 2**60 strings or numbers ends with the file."""
    for kind in (8, 4):
        path = tmp_path / f"{kind}.gguf"
        count = (2**60).to_bytes(8, "little")
        head = gguf({})[:16] + b"\1" + b"\0" * 7 + b"\1" + b"\0" * 7 + b"a" + b"\x09\0\0\0"
        path.write_bytes(head + kind.to_bytes(4, "little") + count + b"\0" * 64)
        with pytest.raises(BadFile):
            read_header(path)


@pytest.mark.parametrize("value", ["text", 3.5, True])
def test_strange_numbers_do_no_harm(tmp_path: Path, value: Any) -> None:
    path = write_model(tmp_path / "m.gguf", llama__context_length=value, llama__attention__head_count=value)

    assert find_files(path).models["m"].context(4096) in {1, 4096}
