"""Mails with words, attachments and other mails in them."""

import contextlib
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import mail


def message(subject: str = "Hello", text: str | None = "words") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"] = "Ann <ann@example.org>", "bob@example.org"
    made["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    made["Subject"] = subject
    made["X-Other"] = "not shown"
    if text is not None:
        made.set_content(text)
    return made


def test_headers_and_words_are_shown() -> None:
    assert read(mail, message("Отчёт", "Привет\n\nпока").as_bytes()).text == (
        "From: Ann <ann@example.org>\nTo: bob@example.org\nDate: Mon, 02 Mar 2026 10:00:00 +0100\nSubject: Отчёт\n\n"
        "Привет\n\nпока"
    )


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251", "iso-2022-jp"])
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_words_are_decoded(charset: str, encoding: str) -> None:
    text = "会議は月曜日" if charset == "iso-2022-jp" else "Съешь ещё этих мягких булок"
    made = message(text=None)
    made.set_content(text, charset=charset, cte=encoding)

    assert read(mail, made.as_bytes()).text.endswith(f"\n\n{text}")


def test_plain_words_are_preferred_to_html_unless_they_say_nothing() -> None:
    made = message(text="plain words of a mail")
    made.add_alternative("<p>HTML <b>words</b> of a mail</p>", subtype="html")
    empty = message(text="See HTML.")
    empty.add_alternative("<h1>Title</h1><p>" + "many words " * 30 + "</p>", subtype="html")

    assert "HTML" not in read(mail, made.as_bytes()).text
    assert "# Title\n\nmany words" in read(mail, empty.as_bytes()).text


def test_html_becomes_markdown() -> None:
    made = message(text=None)
    made.set_content('<p>See <a href="https://e.org">this</a></p><p style="display:none">pixel</p>', subtype="html")

    assert read(mail, made.as_bytes()).text.endswith("\n\nSee [this](https://e.org)")


def test_attachments_are_listed_and_small_texts_are_read() -> None:
    made = message()
    made.add_attachment("a;b\n1;2\n", subtype="csv", filename="таблица.csv")
    made.add_attachment(b"\x89PNG\r\n\x1a\n\0" * 500, maintype="image", subtype="png", filename="../p.png")
    made.add_attachment(b"x" * 2_000_000, maintype="text", subtype="plain", filename="big.txt")

    found = read(mail, made.as_bytes()).text

    assert "Attachments:\n- таблица.csv (8 B)\n- .._p.png (4.4 kB)\n- big.txt (1.9 MB)" in found
    assert "[file таблица.csv]\n" in found
    assert "| 1 | 2 |" in found
    assert "[file big.txt]" not in found


def test_an_invitation_is_read_as_a_calendar() -> None:
    made = message()
    made.add_attachment("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Party\nEND:VEVENT\nEND:VCALENDAR", subtype="calendar")

    assert "## Event: Party" in read(mail, made.as_bytes()).text


def test_forwarded_mails_are_nested() -> None:
    inner, middle, outer = message("inner", "deepest"), message("middle"), message("outer")
    inner.add_attachment("notes", filename="inner.txt")
    middle.add_attachment(inner)
    outer.add_attachment(middle)

    found = read(mail, outer.as_bytes()).text

    assert found.index("[file forwarded mail: middle]") < found.index("[file forwarded mail: inner]")
    assert found.index("Subject: inner") < found.index("deepest") < found.index("[file inner.txt]\nnotes")


def test_nesting_ends() -> None:
    made = message("0")
    for number in range(1, 40):
        outer = message(str(number))
        outer.add_attachment(made)
        made = outer

    found = read(mail, made.as_bytes())

    assert found.text.count("[file forwarded mail") == 5


MALFORMED = {
    "raw letters in a header": "From: a@e.org\nSubject: Съешь ещё этих\n\nмягких булок".encode("cp1251"),
    "an unknown charset": b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nwords",
    "a charset that is no text": b"Subject: x\nContent-Type: text/plain; charset=hex\n\nwords",
    "no end of parts": b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords",
    "broken base64": b"Subject: x\nContent-Transfer-Encoding: base64\n\nd29yZHM=====!",
    "broken words in a header": b"Subject: =?utf-8?b?!!!?= words\n\nx",
    "a broken address": b"From: <<<>>>,,;\nSubject: words\n\nx",
    "a broken date": b"Date: never\nSubject: words\n\nx",
    "a line of a mailbox": b"From ann@e.org Mon Mar  2 10:00:00 2026\nFrom: a\nSubject: words\n\nx",
    "a byte order mark": b"\xef\xbb\xbfSubject: words\n\nx",
    "a part without words": b"Subject: words\nContent-Type: multipart/mixed; boundary=b\n\n--b--\n",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_malformed_mails_are_read(content: bytes) -> None:
    found = read(mail, content).text

    assert "Subject: " in found
    assert "words" in found or "Subject: Съешь ещё этих\n\nмягких булок" in found


def test_many_parts_are_bounded() -> None:
    parts = b"".join(b"--b\nContent-Disposition: attachment; filename=%d.txt\n\nx\n" % number for number in range(3000))

    found = read(mail, b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n")

    assert found.text.count("[file ") <= 500


WHOLE = message().as_bytes()


@given(st.integers(0, len(WHOLE)), st.binary(max_size=40))
def test_any_mail_is_read(at: int, damage: bytes) -> None:
    for content in (WHOLE[:at] + damage + WHOLE[at:], damage, b"Content-Type: " + damage + b"\n\nwords"):
        with contextlib.suppress(FileUnreadable):
            read(mail, content)
