"""PDF files written by hand, so that tests of the reader depend on no other code for them."""

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["document", "lines", "pdf", "picture"]

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def document(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """A PDF file of numbered objects; number 1 is the catalogue."""
    out, offsets = bytearray(b"%PDF-1.7\n"), dict[int, int]()
    for number, content in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n" % size
    for number in range(size):
        out += b"%010d %05d %c \n" % (
            offsets.get(number, 0),
            0 if number else 65535,
            b"n" if number in offsets else b"f",
        )
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def lines(*texts: str, x: int = 72, top: int = 770, step: int = 14) -> bytes:
    """The content of a page: lines of text, one below the other."""
    shown = (b"(%s) Tj 0 -%d Td" % (_escaped(text), step) for text in texts)
    return b"BT /F1 11 Tf %d %d Td %s ET\n" % (x, top, b" ".join(shown))


def picture(width: int = 595, height: int = 842) -> bytes:
    """The content of a page: a picture that covers it."""
    return b"q %d 0 0 %d 0 0 cm /I1 Do Q\n" % (width, height)


def pdf(
    pages: Iterable[bytes] = (),
    *,
    box: Sequence[int] = (0, 0, 595, 842),
    catalogue: bytes = b"",
    extra: Mapping[int, bytes] | None = None,
    trailer: bytes = b"",
    page_entries: bytes = b"",
) -> bytes:
    """A PDF file with a page for each content; ``extra`` objects are numbered from 100,000."""
    contents = list(pages)
    kids = range(10, 10 + 2 * len(contents), 2)
    grey = stream(bytes(4), b"/Type/XObject/Subtype/Image/Width 2/Height 2/ColorSpace/DeviceGray/BitsPerComponent 8")
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(contents)),
        3: FONT,
        4: grey,
    }
    for kid, content in zip(kids, contents, strict=True):
        objects[kid] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[%d %d %d %d]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>/XObject<</I1 4 0 R>>>>%s>>"
        ) % (*box, kid + 1, page_entries)
        objects[kid + 1] = stream(content)
    return document(objects | dict(extra or {}), trailer)


def _escaped(text: str) -> bytes:
    return text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
