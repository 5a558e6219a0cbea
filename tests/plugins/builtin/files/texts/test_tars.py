"""Tar archives and compressed files."""

import bz2
import contextlib
import gzip
import io
import lzma
import random
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import tars


def tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]  the mode is a parameter
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_files_are_listed_and_small_texts_are_read(mode: str) -> None:
    found = read(tars, tar({"d/a.txt": b"hello", "b.bin": b"\0\1\2"}, mode))

    assert found.text == (
        "Archive. Files: 2. Unpacked size: 8 B.\n\n- d/a.txt (5 B)\n- b.bin (3 B)\n\n[file d/a.txt]\nhello"
    )


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_text_is_read(compress: object) -> None:
    assert callable(compress)
    assert read(tars, compress("строка\nline".encode())).text == "строка\nline"


def test_an_archive_that_is_cut_shows_what_is_there() -> None:
    noise = random.Random(1).randbytes(400_000)
    content = tar({"a.txt": b"hello", "noise": noise, "b.txt": b"lost"})

    found = read(tars, content[: len(content) // 2])

    assert found.truncated
    assert "[file a.txt]\nhello" in found.text


def test_a_text_that_is_cut_shows_what_is_there() -> None:
    lines = "".join(f"{random.Random(number).random()}\n" for number in range(20_000)).encode()

    found = read(tars, gzip.compress(lines)[:100_000])

    assert found.truncated
    assert found.text.startswith(lines[:1000].decode())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (gzip.compress(b""), "file_empty"),
        (gzip.compress(b"\0\1\2"), "file_unreadable"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "file_broken"),
        (tar({"a.txt": b"x"})[:30], "file_broken"),
        (gzip.compress(bytes(50_000_000)), "file_unreadable"),
    ],
    ids=["empty", "nothing inside", "no text inside", "broken", "cut", "zeros"],
)
def test_what_has_no_text_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read(tars, content)

    assert caught.value.code == code


def test_a_bomb_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "_MOST_BYTES", 1_000_000)
    found = read(tars, tar({"a.txt": b"hello", "bomb": bytes(20_000_000), "b.txt": b"behind"}))

    assert found.truncated
    assert "hello" in found.text
    assert "behind" not in found.text


WHOLE = tar({"a.txt": b"hello" * 100, "b.csv": b"a,b\n1,2"})
PLAIN = tar({"a.txt": b"hello" * 100, "b.csv": b"a,b\n1,2"}, "w")


@given(st.sampled_from([WHOLE, PLAIN[:3000]]), st.integers(0, 3000), st.binary(min_size=1, max_size=20))
def test_damage_anywhere_is_no_crash(content: bytes, at: int, damage: bytes) -> None:
    at %= len(content)
    with contextlib.suppress(FileUnreadable):
        read(tars, content[:at] + damage + content[at + len(damage) :])
