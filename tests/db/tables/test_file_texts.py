"""What was read of a content is kept as long as the content."""

import sqlite3

from database_support import NOW
from tgllm.db.tables import file_texts, files
from tgllm.db.tables.file_texts import FileText
from tgllm.db.tables.files import NewFile

ONE = "a" * 64


def attach(conn: sqlite3.Connection) -> int:
    new = NewFile(path="files/x", mime="application/pdf", size=3, sha256=ONE, original_name=None, user_id=None)
    return files.add(conn, new, NOW)


def test_a_text_is_read_back_as_it_was(conn: sqlite3.Connection) -> None:
    text = FileText(
        ONE, "pdf", "[page 1]\nHi \U0001f600", 0, 3, True, 1, "cp1251", "en", [{"page": 2, "path": "x"}], None, NOW
    )
    file_texts.put(conn, text)
    found = file_texts.get(conn, ONE, "pdf")
    assert found is not None
    assert (found.chars, found.text, found.pages, found.truncated) == (len(text.text), text.text, 3, True)
    assert (found.without_text, found.encoding, found.language, found.pictures) == (
        1,
        "cp1251",
        "en",
        [{"page": 2, "path": "x"}],
    )
    assert file_texts.get(conn, ONE, "other") is None


def test_a_later_reading_replaces_the_earlier_one(conn: sqlite3.Connection) -> None:
    file_texts.put(conn, FileText(ONE, "pdf", error="file_broken", created_at=NOW))
    file_texts.put(conn, FileText(ONE, "pdf", "good", created_at=NOW))
    file_texts.put(conn, FileText(ONE, "other", "longer", created_at=NOW))
    found = file_texts.get(conn, ONE, "pdf")
    assert found is not None
    assert (found.text, found.error, found.pictures) == ("good", None, None)
    assert [(size.sha256, size.chars) for size in file_texts.sizes(conn, [ONE])] == [(ONE, 6)]


def test_a_text_goes_with_the_last_attachment_of_its_content(conn: sqlite3.Connection) -> None:
    one, two = attach(conn), attach(conn)
    file_texts.put(conn, FileText(ONE, "pdf", "good", created_at=NOW))
    files.delete(conn, one)
    assert file_texts.get(conn, ONE, "pdf") is not None
    files.delete(conn, two)
    assert file_texts.get(conn, ONE, "pdf") is None
