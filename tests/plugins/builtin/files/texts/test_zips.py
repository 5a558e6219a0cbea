"""Zip archives, hostile ones too."""

import contextlib
import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import zips


def zipped(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def code_of(content: bytes) -> str:
    with pytest.raises(FileUnreadable) as caught:
        read(zips, content)
    return caught.value.code


def test_files_are_listed_and_small_texts_are_read() -> None:
    found = read(
        zips,
        zipped(
            {
                "notes/a.txt": "hello",
                "b.py": "print(1)",
                "c.csv": "a;b\n1;2",
                "d.html": "<h1>T</h1>",
                "p.png": b"\x89PNG\r\n\x1a\n\0",
            }
        ),
    )

    assert found.text == (
        "Archive. Files: 5. Unpacked size: 39 B.\n\n- notes/a.txt (5 B)\n- b.py (8 B)\n- c.csv (7 B)\n"
        "- d.html (10 B)\n- p.png (9 B)\n\n[file notes/a.txt]\nhello\n\n[file b.py]\n\n"
        "```python\nprint(1)\n```\n\n[file c.csv]\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n[file d.html]\n\n# T"
    )
    assert not found.truncated


def test_archives_inside_are_listed_and_not_opened() -> None:
    found = read(zips, zipped({"in.zip": zipped({"secret.txt": "words"}), "in.tar.gz": "plain words", "a.txt": "x"}))

    assert "- in.zip (" in found.text
    assert "secret" not in found.text
    assert "plain words" not in found.text


def test_mails_inside_are_read_as_mails() -> None:
    mail = "Received: x\nFrom: a@e.org\nTo: b@e.org\nSubject: =?utf-8?q?Caf=C3=A9?=\n\nHi"

    assert "[file m.eml]\n\nFrom: a@e.org\nTo: b@e.org\nSubject: Café\n\nHi" in read(zips, zipped({"m.eml": mail})).text


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "/etc/x.txt", "C:\\x.txt", "a\nb.txt", "x" * 5000 + ".txt"])
def test_names_are_shown_and_never_paths(name: str) -> None:
    found = read(zips, zipped({name: "inside"}))

    marks = [line for line in found.text.split("\n") if line.startswith("[file ")]
    assert len(marks) == 1
    assert len(marks[0]) < 300
    assert found.text.endswith("inside")


def test_names_in_the_encoding_of_an_old_program_are_readable() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("XXXXX XXXXXXXX.txt", "x")
    content = buffer.getvalue().replace(b"XXXXX XXXXXXXX", "Отчёт годовой!".encode("cp866"))

    assert "- Отчёт годовой!.txt (1 B)" in read(zips, content).text


def test_large_texts_are_listed_only() -> None:
    found = read(zips, zipped({"big.txt": "x" * 3_000_000, "a.txt": "small"}))

    assert "- big.txt (2.9 MB)" in found.text
    assert "[file big.txt]" not in found.text
    assert found.text.endswith("[file a.txt]\nsmall")


def test_a_bomb_is_listed_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes: list[int] = []
    original = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, size: int | None = -1) -> bytes:
        content = original(self, size)
        read_bytes.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    bomb = zipped({f"{number}.txt": b"0" * 1_000_000 for number in range(200)} | {"huge.txt": b"0" * 50_000_000})

    found = read(zips, bomb, max_chars=100_000_000)

    assert found.truncated
    assert "Archive. Files: 201" in found.text
    assert sum(read_bytes) <= 70_000_000


def test_sizes_that_lie_are_found_out() -> None:
    content = bytearray(zipped({"lie.txt": b"0" * 2_000_000, "a.txt": "honest"}))
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, at + 24, 10)

    found = read(zips, bytes(content))

    assert "- lie.txt (10 B)" in found.text
    assert "[file lie.txt]" not in found.text
    assert "honest" in found.text


def test_many_files_are_counted_and_listed_in_part() -> None:
    found = read(zips, zipped({f"{number}.txt": "text" for number in range(3000)}))

    assert "Archive. Files: 3,000" in found.text
    assert "- … and 2,000 more" in found.text
    assert found.text.count("[file ") == 500


def test_a_password_is_told() -> None:
    content = bytearray(zipped({"a.txt": "x", "b.txt": "y"}))
    for at in [at for at in range(len(content)) if content[at : at + 4] == b"PK\x01\x02"]:
        content[at + 8] |= 1

    assert code_of(bytes(content)) == "file_password"
    content[content.index(b"PK\x01\x02") + 8] &= 0xFE
    found = read(zips, bytes(content))
    assert "- b.txt (1 B, needs a password)" in found.text
    assert "[file b.txt]" not in found.text


def test_damaged_members_are_left_out() -> None:
    content = bytearray(zipped({"a.txt": "".join(map(str, range(500))), "b.txt": "second"}))
    content[40:50] = b"\xff" * 10

    found = read(zips, bytes(content))

    assert "[file a.txt]" not in found.text
    assert found.text.endswith("second")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"P", "file_broken"),
        (b"PK\x03\x04" * 16_384, "file_broken"),
        (zipped({"a.txt": "x" * 100})[:60], "file_broken"),
    ],
    ids=["empty", "a byte", "headers", "cut"],
)
def test_what_is_no_archive_is_refused(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_a_huge_directory_is_refused() -> None:
    directory = (b"PK\x01\x02" + bytes(42)) * 1_500_000
    end = b"PK\x05\x06" + bytes(8) + struct.pack("<IIH", len(directory), 0, 0)

    assert code_of(directory + end) == "file_too_large_to_read"


WHOLE = zipped({"a.txt": "hello", "b.csv": "a,b\n1,2", "ü.py": "x"})


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=20))
def test_damage_anywhere_is_no_crash(at: int, damage: bytes) -> None:
    with contextlib.suppress(FileUnreadable):
        read(zips, WHOLE[:at] + damage + WHOLE[at + len(damage) :])
