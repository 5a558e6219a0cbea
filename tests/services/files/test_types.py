"""Types of files by their content, whatever the sender calls them."""

# ruff: noqa: E501  a case is a line
import gzip
import io
import json
import struct
import tarfile
import wave
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.files.types import FileType, contradicts, true_type

OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = OFFICE + "wordprocessingml.document"
XLSX = OFFICE + "spreadsheetml.sheet"
PPTX = OFFICE + "presentationml.presentation"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb")
MAIL = b"Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000\r\nFrom: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhi\r\n"


def zipped(*names: str, stored: dict[str, bytes] | None = None, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (stored or {}).items():
            archive.writestr(name, content)
        for name in names:
            archive.writestr(name, "x", zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return buffer.getvalue()


def ole(*streams: str, version: int = 3) -> bytes:
    """A compound file with an empty stream of each name. [MS-CFB] 2.2, 2.6."""
    shift = 9 if version == 3 else 12
    size = 1 << shift
    entries = b""
    for name in ("Root Entry", *streams):
        raw = name.encode("utf-16-le") + b"\0\0"
        entries += (
            raw.ljust(64, b"\0")
            + struct.pack("<HBB", len(raw), 5 if name == "Root Entry" else 2, 1)
            + b"\xff" * 12
            + bytes(48)
        )
    sectors = max(1, -(-len(entries) // size))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, version, 0xFFFE, shift, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack(
        "<109I", 0, *[0xFFFFFFFF] * 108
    )
    links = [0xFFFFFFFD, *range(2, sectors + 1), 0xFFFFFFFE]
    fat = struct.pack(f"<{len(links)}I", *links).ljust(size, b"\xff")
    return header.ljust(size, b"\0") + fat + entries.ljust(sectors * size, b"\0")


def iso(brand: bytes, *others: bytes, tracks: tuple[bytes, ...] = (), moov_last: bool = False) -> bytes:
    """An ISO base media file with tracks of these handler types."""
    ftyp = box(b"ftyp", brand + bytes(4) + b"".join(others))
    moov = box(
        b"moov", b"".join(box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + track + bytes(13)))) for track in tracks)
    )
    mdat = box(b"mdat", bytes(100_000))
    return ftyp + (mdat + moov if moov_last else moov + mdat)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def webm(*codecs: bytes) -> bytes:
    header = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
    return (
        header
        + b"".join(b"\xae\x90\x86" + bytes([0x80 | len(codec)]) + codec for codec in codecs)
        + b"\xa3\x00\x81" * 50
    )


def ogg(packet: bytes) -> bytes:
    return b"OggS\x00\x02" + bytes(20) + b"\x01" + bytes([len(packet)]) + packet


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(100))
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO(b""))
    return buffer.getvalue()


def of(tmp_path: Path, content: bytes, name: str | None = None, claimed: str | None = None) -> FileType:
    path = tmp_path / "blob"
    path.write_bytes(content)
    return true_type(path, claimed, name)


BINARY = {
    "pdf": (PDF, "application/pdf"),
    "pdf behind junk": (b"\x00junk\n" * 20 + PDF, "application/pdf"),
    "pdf of ASCII": (b"%PDF-1.4\n1 0 obj << >> endobj\n", "application/pdf"),
    "docx": (zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), DOCX),
    "docx of LibreOffice": (zipped("_rels/.rels", *(f"docProps/{n}.xml" for n in range(9)), "word/document.xml", "[Content_Types].xml"), DOCX),
    "docx with macros": (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), DOCX),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), XLSX),
    "xlsb": (zipped("[Content_Types].xml", "xl/workbook.bin"), "application/vnd.ms-excel.sheet.binary.macroEnabled.12"),
    "pptx": (zipped("[Content_Types].xml", "ppt/presentation.xml"), PPTX),
    "docx with a sheet inside": (zipped("[Content_Types].xml", "word/document.xml", "word/embeddings/a.xlsx"), DOCX),
    "docx with a comment": (zipped("[Content_Types].xml", "word/document.xml", comment=b"c" * 60_000), DOCX),
    "odt": (zipped(stored={"mimetype": b"application/vnd.oasis.opendocument.text"}), "application/vnd.oasis.opendocument.text"),
    "ott": (zipped(stored={"mimetype": b"application/vnd.oasis.opendocument.text-template"}), "application/vnd.oasis.opendocument.text"),
    "ods": (zipped(stored={"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "application/vnd.oasis.opendocument.spreadsheet"),
    "odp": (zipped(stored={"mimetype": b"application/vnd.oasis.opendocument.presentation"}), "application/vnd.oasis.opendocument.presentation"),
    "epub": (zipped("META-INF/container.xml", stored={"mimetype": b"application/epub+zip"}), "application/epub+zip"),
    "epub without its first member": (zipped("OEBPS/a.xhtml", "META-INF/container.xml"), "application/epub+zip"),
    "jar": (zipped("META-INF/MANIFEST.MF", "A.class"), "application/java-archive"),
    "apk": (zipped("META-INF/MANIFEST.MF", "AndroidManifest.xml"), "application/vnd.android.package-archive"),
    "zip": (zipped("a.txt", "word/notes.txt"), "application/zip"),
    "zip whose first member says anything": (zipped(stored={"mimetype": b"text/html"}), "application/zip"),
    "empty zip": (zipped(), "application/zip"),
    "doc": (ole("1Table", "WordDocument"), "application/msword"),
    "xls": (ole("Workbook"), "application/vnd.ms-excel"),
    "xls of 1995": (ole("Book"), "application/vnd.ms-excel"),
    "ppt": (ole("Pictures", "PowerPoint Document"), "application/vnd.ms-powerpoint"),
    "ppt with many streams": (ole(*(f"s{n}" for n in range(40)), "PowerPoint Document"), "application/vnd.ms-powerpoint"),
    "doc in large sectors": (ole("WordDocument", version=4), "application/msword"),
    "docx with a password": (ole("EncryptionInfo", "EncryptedPackage"), "application/encrypted"),
    "msg": (ole("__properties_version1.0"), "application/vnd.ms-outlook"),
    "other OLE": (ole("Something"), "application/x-ole-storage"),
    "gzip": (gzip.compress(b"text"), "application/gzip"),
    "gzip of other JSON": (gzip.compress(json.dumps({"v": 1}).encode()), "application/gzip"),
    "animated sticker": (gzip.compress(json.dumps({"tgs": 1, "v": "5.5", "layers": []}).encode()), "application/x-tgsticker"),
    "tar": (tar(), "application/x-tar"),
    "rtf": (rb"{\rtf1\ansi Hello}", "text/rtf"),
    "png": (PNG, "image/png"),
    "jpeg": (JPEG, "image/jpeg"),
    "gif": (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "image/gif"),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
    "bmp": (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36", "image/bmp"),
    "heic": (iso(b"heic", b"mif1", b"heic"), "image/heic"),
    "heic by its other brands": (iso(b"mif1", b"mif1", b"heic"), "image/heic"),
    "avif": (iso(b"avif", b"mif1"), "image/avif"),
    "voice note": (ogg(b"OpusHead\x01\x01"), "audio/ogg"),
    "vorbis": (ogg(b"\x01vorbis"), "audio/ogg"),
    "ogv": (ogg(b"\x80theora"), "video/ogg"),
    "m4a": (iso(b"M4A ", b"mp42", tracks=(b"soun",)), "audio/mp4"),
    "sound in mp4": (iso(b"isom", b"mp41", tracks=(b"soun",), moov_last=True), "audio/mp4"),
    "mp4": (iso(b"isom", b"mp41", tracks=(b"vide", b"soun")), "video/mp4"),
    "mp4 with its index last": (iso(b"isom", tracks=(b"soun", b"vide"), moov_last=True), "video/mp4"),
    "mp4 that is cut": (iso(b"isom", tracks=(b"vide",), moov_last=True)[:50_000], "video/mp4"),
    "mov": (iso(b"qt  ", tracks=(b"vide",)), "video/quicktime"),
    "3gp": (iso(b"3gp4", tracks=(b"vide",)), "video/3gpp"),
    "mp3": (b"\xff\xfb\x90\x64" + bytes(400), "audio/mpeg"),
    "mp3 with a tag": (b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + b"\xff\xfb\x90\x64" + bytes(40), "audio/mpeg"),
    "flac with a tag": (b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + b"fLaC" + bytes(40), "audio/flac"),
    "aac": (b"\xff\xf1\x50\x80\x00\x1f\xfc" + bytes(40), "audio/aac"),
    "wav": (wav(), "audio/wav"),
    "flac": (b"fLaC\x00\x00\x00\x22" + bytes(34), "audio/flac"),
    "webm": (webm(b"V_VP9", b"A_OPUS"), "video/webm"),
    "sticker of video": (webm(b"V_VP9"), "video/webm"),
    "webm without pictures": (webm(b"A_OPUS"), "audio/webm"),
    "unknown": (bytes(range(256)) * 3, "application/octet-stream"),
    "one zero byte": (b"\0", "application/octet-stream"),
    "empty": (b"", "application/x-empty"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "mime"), BINARY.values(), ids=BINARY)
@pytest.mark.parametrize(("name", "claimed"), [(None, None), ("a.txt", "text/plain"), ("a.pdf", "application/pdf")])
def test_content_counts_and_neither_name_nor_claim(
    tmp_path: Path, content: bytes, mime: str, name: str | None, claimed: str | None
) -> None:
    assert of(tmp_path, content, name, claimed) == FileType(mime, is_text=mime == "text/rtf")


TEXTS = [
    ("hello", None, "text/plain"),
    ("hello", "a.txt", "text/plain"),
    ("hello", "a.exe", "text/plain"),
    ("hello", "a.pdf", "text/plain"),
    ("Привет", "a.docx", "text/plain"),
    ("x", None, "text/plain"),
    ("BMW is a brand", "a.txt", "text/plain"),
    ("GIF files are old", None, "text/plain"),
    ("MZ, ID3 and Rar! are signatures", None, "text/plain"),
    ("a;b\n1;2\n", "a.csv", "text/csv"),
    ("a\tb\n1\t2\n", "a.tsv", "text/tab-separated-values"),
    ("<!DOCTYPE html><html></html>", "a.html", "text/html"),
    ("\ufeff\n <!doctype HTML>\n<html>", "report.pdf", "text/html"),
    ("<html><body><table>", "report.xls", "text/html"),
    ("<!doctype html>", "a.txt", "text/html"),
    ("<html>", "a.json", "text/html"),
    ("<div><p>Hi</p></div>", None, "text/html"),
    ("<html><?php echo 1 ?>", "a.php", "text/x-php"),
    ("<html> in Markdown", "a.md", "text/markdown"),
    ('{"a": 1}', "a.json", "application/json"),
    ('{"a": 1}', None, "application/json"),
    ('[{"a": 1}]\n', "blob", "application/json"),
    ('{"a": "' + "x" * 40_000 + '"}', None, "application/json"),
    ("[" * 10_000, None, "application/json"),
    ("[1] a footnote", None, "text/plain"),
    ('{"a": 1}\n{"a": 2}\n', "a.jsonl", "application/x-ndjson"),
    ('<?xml version="1.0"?><a/>', "a.xml", "text/xml"),
    ('<?xml version="1.0"?><a/>', None, "text/xml"),
    ('<?xml version="1.0"?><gpx/>', "track.gpx", "text/xml"),
    ('<?xml version="1.0"?><html xmlns="x">', "a.xhtml", "text/html"),
    ('<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="x"/>', "a.xml", "image/svg+xml"),
    ("<svg></svg>", "a.svg", "image/svg+xml"),
    (MAIL.decode(), "a.eml", "message/rfc822"),
    (MAIL.decode(), None, "message/rfc822"),
    (MAIL.decode(), "a.txt", "message/rfc822"),
    ("Dear all, see below", "a.eml", "text/plain"),
    ("From: here\nTo: there\n\nA poem", "a.txt", "text/plain"),
    ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "invite", "text/calendar"),
    ("no calendar", "a.ics", "text/plain"),
    ("BEGIN:VCARD\nEND:VCARD", "a.vcf", "text/vcard"),
    ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi", None, "text/vtt"),
    ("1\n00:00:01,000 --> 00:00:02,000\nHi", "a.srt", "application/x-subrip"),
    ("# Title", "README.md", "text/markdown"),
    ("print(1)", "a.py", "text/x-python"),
    ("print(1)", "A.PY", "text/x-python"),
    ("#!/usr/bin/env python3\nprint(1)", None, "text/x-python"),
    ("#!/bin/sh\necho 1", "run", "text/x-shellscript"),
    ("let a = 1", "a.ts", "text/x-typescript"),
    ("all:\n\tcc a.c", "Makefile", "text/plain"),
    ("a: 1", "a.yaml", "text/x-yaml"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "mime"), TEXTS)
def test_the_kind_of_a_text_is_that_of_its_marks_or_of_its_ending(
    tmp_path: Path, text: str, name: str | None, mime: str
) -> None:
    assert of(tmp_path, text.encode(), name) == FileType(mime, is_text=True)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251", "koi8-r", "cp866"]
)
def test_text_in_other_encodings_is_text(tmp_path: Path, encoding: str) -> None:
    content = ("Name;Город\nИван;Москва\n" * 20).encode(encoding)

    assert of(tmp_path, content, "a.csv") == FileType("text/csv", is_text=True)


def test_html_in_utf_16_is_html(tmp_path: Path) -> None:
    assert of(tmp_path, "<html><body>".encode("utf-16"), "a.pdf").mime == "text/html"


@pytest.mark.parametrize(
    ("claimed", "mime"),
    [
        ("text/csv; charset=utf-8", "text/csv"),
        ("text/x-markdown", "text/markdown"),
        ("application/pdf", "text/plain"),
        ("image/png", "text/plain"),
        ("\ud800/\n", "text/plain"),
    ],
)
def test_the_claim_decides_between_texts_without_an_ending(tmp_path: Path, claimed: str, mime: str) -> None:
    assert of(tmp_path, b"a,b\n", "table", claimed).mime == mime
    assert of(tmp_path, b"a,b\n", "a.py", claimed).mime == "text/x-python"


def test_a_character_that_is_cut_at_the_end_of_what_is_looked_at_is_no_error(tmp_path: Path) -> None:
    assert of(tmp_path, b"a" + "я".encode() * 100_000, "a.txt").is_text


def test_a_few_controls_make_no_binary_of_a_log(tmp_path: Path) -> None:
    assert of(tmp_path, b"\x1b[31mred\x1b[0m line, longer than a word\x08\x07\n" * 200).is_text
    assert not of(tmp_path, b"\x01\x02\x03 \xff\xfe\xfd" * 100).is_text


class TestHostile:
    def test_a_zip_with_a_hundred_thousand_names_is_looked_at_in_part(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "blob"
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(100_000):
                archive.writestr(f"folder/{number}", b"")
        read = count_bytes(monkeypatch)

        assert true_type(path).mime == "application/zip"
        assert sum(read) < 3 * 1024 * 1024

    def test_local_headers_without_a_directory(self, tmp_path: Path) -> None:
        header = b"PK\x03\x04" + bytes(22) + struct.pack("<HH", 1, 0) + b"a"

        assert of(tmp_path, header * (65_536 // len(header) + 1)).mime == "application/zip"
        assert of(tmp_path, b"PK\x03\x04" * 16_384).mime == "application/zip"

    def test_an_office_file_that_is_cut_keeps_its_kind(self, tmp_path: Path) -> None:
        whole = zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml")

        assert of(tmp_path, whole[: whole.index(b"PK\x01\x02")]).mime == DOCX

    def test_a_directory_that_lies_about_its_place(self, tmp_path: Path) -> None:
        end = b"PK\x05\x06" + bytes(8) + struct.pack("<IIH", 0xFFFFFFFF, 0xFFFFFFF0, 0)

        assert of(tmp_path, zipped("a.txt")[:-22] + end).mime == "application/zip"

    def test_a_chain_of_sectors_that_is_a_loop(self, tmp_path: Path) -> None:
        content = bytearray(ole("a", "b", "c", "d", "e"))
        struct.pack_into("<I", content, 512 + 4, 1)

        assert of(tmp_path, bytes(content)).mime == "application/x-ole-storage"

    def test_a_gzip_bomb(self, tmp_path: Path) -> None:
        assert of(tmp_path, gzip.compress(bytes(50_000_000))).mime == "application/gzip"

    def test_boxes_of_no_size(self, tmp_path: Path) -> None:
        assert of(tmp_path, iso(b"isom")[:24] + struct.pack(">I", 0) + b"free" + bytes(100)).mime == "video/mp4"
        assert of(tmp_path, b"\0\0\0\x10ftypisom\0\0\0\0" + box(b"free", b"") * 10_000).mime == "video/mp4"

    def test_a_polyglot_is_what_its_first_bytes_say(self, tmp_path: Path) -> None:
        assert of(tmp_path, PDF + zipped("a.txt")).mime == "application/pdf"
        assert (
            of(tmp_path, PNG + b"<html><body>" + zipped("[Content_Types].xml", "word/document.xml")).mime == "image/png"
        )

    @pytest.mark.parametrize("content", [each for each, _ in BINARY.values()], ids=BINARY)
    def test_cut_anywhere_it_has_a_type(self, tmp_path: Path, content: bytes) -> None:
        for length in {*range(1, min(len(content), 60)), *range(60, min(len(content), 4000), 97)}:
            assert "/" in of(tmp_path, content[:length]).mime


BEGINNINGS = [content[:600] for content, _ in BINARY.values()]


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=300), st.text(), st.text())
def test_no_content_name_or_claim_raises(
    tmp_path_factory: pytest.TempPathFactory, first: bytes, rest: bytes, name: str, claimed: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for content in (first + rest, first[:20] + rest, rest):
        assert "/" in of(folder, content, name, claimed).mime


@pytest.mark.parametrize(
    ("mime", "name", "expected"),
    [
        ("application/octet-stream", "report.PDF", True),
        ("application/octet-stream", "data.parquet", False),
        ("application/octet-stream", None, False),
        ("text/plain", "report.pdf", False),
    ],
)
def test_garbage_contradicts_an_ending_that_is_always_recognised(
    mime: str, name: str | None, *, expected: bool
) -> None:
    assert contradicts(FileType(mime, is_text=False), name) is expected


def count_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record how many bytes each read of a file returns."""
    read: list[int] = []
    original = Path.open

    class Counted(io.BufferedReader):
        def read(self, size: int | None = -1) -> bytes:
            content = super().read(size)
            read.append(len(content))
            return content

    def opened(path: Path, mode: str = "r") -> io.BufferedReader:
        stream = original(path, mode, buffering=0)
        assert isinstance(stream, io.FileIO)
        return Counted(stream)

    monkeypatch.setattr(Path, "open", opened)
    return read
