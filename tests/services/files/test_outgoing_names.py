"""Names of files that the bot sends."""

import pytest

from tgllm.services.files.outgoing_names import mime_of, outgoing_name


@pytest.mark.parametrize(
    ("name", "mime", "shown"),
    [
        (None, "image/png", "picture.png"),
        (None, "image/jpeg", "picture.jpg"),
        (None, "application/pdf", "file.pdf"),
        (None, "application/x-unheard-of", "file.bin"),
        ("report.pdf", "application/pdf", "report.pdf"),
        ("Отчёт 2.pdf", "application/pdf", "Отчёт 2.pdf"),
        ("report", "application/pdf", "report.pdf"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\temp\\a.txt", "text/plain", "a.txt"),
        ("a\u202egnp.exe", "image/png", "agnp.exe"),
        ("a\nb\t.txt", "text/plain", "ab.txt"),
        (" .. ", "text/plain", "file.txt"),
        (".env", "text/plain", "env.txt"),
        ('a<b>:"c"?.txt', "text/plain", "abc.txt"),
        ("x" * 300 + ".tar", "application/x-tar", "x" * 96 + ".tar"),
        ("表" * 90 + ".xlsx", "text/plain", "表" * 78 + ".xlsx"),
        ("🎉" * 95, "text/plain", "🎉" * 59 + ".txt"),
        ("con.txt", "text/plain", "_con.txt"),
        ("AUX.tar.gz", "text/plain", "_AUX.tar.gz"),
        ("nul", "text/plain", "_nul.txt"),
        ("console.txt", "text/plain", "console.txt"),
        ("a." + "b" * 300, "text/plain", ("a." + "b" * 300)[:87] + ".txt"),
    ],
)
def test_names(name: str | None, mime: str, shown: str) -> None:
    assert outgoing_name(name, mime) == shown


def test_made_names_are_numbered() -> None:
    assert [outgoing_name(None, "image/png", number) for number in (1, 2)] == ["picture.png", "picture-2.png"]


@pytest.mark.parametrize(
    ("claimed", "mime"),
    [
        ("image/png", "image/png"),
        ("Text/Plain; charset=utf-8", "text/plain"),
        ("image", "application/octet-stream"),
        ("image/png\r\nX: y", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_types(claimed: str, mime: str) -> None:
    assert mime_of(claimed) == mime
