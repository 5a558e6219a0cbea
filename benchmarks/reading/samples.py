"""Files to read, made without the libraries that read them."""

import random
import zipfile
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image
from xlsxwriter import Workbook

__all__ = ["SAMPLES"]

_TEXT = "a river that ran past the old mill and into the lake behind the last house of the village"
_WORDS = tuple(_TEXT.split())
_PACKAGE = "application/vnd.openxmlformats-package"
_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_PAGES, _LINES, _ROWS, _PARAGRAPHS, _PICTURES = 100, 48, 50_000, 5_000, 3


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize() + "."


def make_pdf(path: Path) -> None:
    """Write a PDF of 100 pages with about 4,000 characters each."""
    rng = random.Random(1)  # noqa: S311  the same file each time
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(_PAGES))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {_PAGES}/Kids[{kids}]>>".encode()]
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number in range(_PAGES):
        lines = "".join(f"({_sentence(rng, 16)}) Tj 0 -15 Td\n" for _ in range(_LINES))
        content = zlib.compress(f"BT /F1 10 Tf 40 780 Td\n{lines}ET".encode())
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
        stream = f"<</Length {len(content)}/Filter/FlateDecode>>stream\n".encode() + content + b"\nendstream"
        objects += [f"{page}/Contents {5 + 2 * number} 0 R>>".encode(), stream]
    out = BytesIO()
    out.write(b"%PDF-1.4\n")
    places: list[int] = []
    for number, each in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + each + b"\nendobj\n")
    start = out.tell()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    out.write(f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode())
    path.write_bytes(out.getvalue())


def make_docx(path: Path) -> None:
    """Write a Word document of 5,000 paragraphs and three photos, 5 MB in all."""
    rng = random.Random(2)  # noqa: S311  the same file each time
    paragraphs = "".join(f"<w:p><w:r><w:t>{_sentence(rng, 30)}</w:t></w:r></w:p>" for _ in range(_PARAGRAPHS))
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        types = f'<Default Extension="rels" ContentType="{_PACKAGE}.relationships+xml"/>'
        types += '<Default Extension="jpeg" ContentType="image/jpeg"/>'
        types += f'<Override PartName="/word/document.xml" ContentType="{_DOCUMENT}"/>'
        made.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types">{types}</Types>')
        main = f'<Relationship Id="r1" Type="{office}/officeDocument" Target="word/document.xml"/>'
        made.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships">{main}</Relationships>')
        made.writestr("word/document.xml", f'<w:document xmlns:w="{word}"><w:body>{paragraphs}</w:body></w:document>')
        for number in range(_PICTURES):
            made.writestr(f"word/media/image{number}.jpeg", _photo((2200, 1460), number))


def make_xlsx(path: Path) -> None:
    """Write a workbook with 50,000 rows of ten columns."""
    rng = random.Random(3)  # noqa: S311  the same file each time
    with Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Prices")
        for row in range(_ROWS):
            cells = [row, *(round(rng.random() * 1000, 2) for _ in range(6)), *rng.choices(_WORDS, k=3)]
            for column, value in enumerate(cells):
                sheet.write(row, column, value)


def make_photo(path: Path) -> None:
    """Write a photo of 12 megapixels, held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path.write_bytes(_photo((4000, 3000), 4, exif=exif))


def make_text(path: Path) -> None:
    """Write a megabyte of text."""
    rng = random.Random(5)  # noqa: S311  the same file each time
    path.write_text("\n".join(_sentence(rng, 16) for _ in range(13_000)), encoding="utf-8")


def _photo(size: tuple[int, int], seed: int, **options: object) -> bytes:
    """Return a JPEG with the detail of a photo."""
    rng = random.Random(seed)  # noqa: S311  the same file each time
    small = Image.frombytes("RGB", (size[0] // 4, size[1] // 4), rng.randbytes(size[0] // 4 * (size[1] // 4) * 3))
    buffer = BytesIO()
    small.resize(size).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


SAMPLES: Mapping[str, tuple[str, Callable[[Path], None]]] = {
    "PDF, 100 pages": ("report.pdf", make_pdf),
    "docx, 5,000 paragraphs, 3 photos": ("report.docx", make_docx),
    "xlsx, 50,000 rows": ("prices.xlsx", make_xlsx),
    "photo, 12 megapixels": ("photo.jpg", make_photo),
    "text, 1 MB": ("notes.txt", make_text),
}
"""Name of the file and its maker, by what it is."""
