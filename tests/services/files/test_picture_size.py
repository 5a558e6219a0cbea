"""What a picture's file says about itself."""

import struct
from io import BytesIO

import pytest

from made_files.picture_support import chunk, jpeg, png
from tgllm.services.files.picture_size import Picture, picture_of


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + 8 + len(body)) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


LOSSY = bytes(6) + struct.pack("<HH", 640, 480) + bytes(4)
LOSSLESS = b"\x2f" + struct.pack("<I", (640 - 1) | (480 - 1) << 14) + bytes(9)
EXTENDED = bytes([0, 0, 0, 0]) + (640 - 1).to_bytes(3, "little") + (480 - 1).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("content", "picture"),
    [
        (png(640, 480), Picture("image/png", 640, 480)),
        (png(6, 4, colours=0), Picture("image/png", 6, 4)),
        (png(6, 4, colours=4), Picture("image/png", 6, 4, transparent=True)),
        (png(6, 4, colours=6), Picture("image/png", 6, 4, transparent=True)),
        (png(6, 4, extra=chunk(b"gAMA", bytes(4)) + chunk(b"tRNS", bytes(6))), Picture("image/png", 6, 4, True)),
        (png(6, 4, extra=chunk(b"acTL", bytes(8))), Picture("image/png", 6, 4, animated=True)),
        (jpeg(640, 480), Picture("image/jpeg", 640, 480)),
        (jpeg(640, 480, before=b"\xff\xe1\x10\x02" + bytes(0x1000)), Picture("image/jpeg", 640, 480)),
        (jpeg(640, 480, before=b"\xff\xff\xff\xfe\x00\x03x"), Picture("image/jpeg", 640, 480)),
        (jpeg(640, 480, before=b"\xff\xc4\x00\x03x"), Picture("image/jpeg", 640, 480)),
        (webp(b"VP8 ", LOSSY), Picture("image/webp", 640, 480)),
        (webp(b"VP8L", LOSSLESS), Picture("image/webp", 640, 480)),
        (webp(b"VP8X", EXTENDED), Picture("image/webp", 640, 480)),
        (webp(b"VP8X", b"\x12" + EXTENDED[1:]), Picture("image/webp", 640, 480, transparent=True, animated=True)),
        (webp(b"ALPH", bytes(20)), None),
        (b"GIF89a" + bytes(40), None),
        (b"%PDF-1.7", None),
        (b"", None),
        (png(0, 4), None),
    ],
)
def test_kinds_and_sizes(content: bytes, picture: Picture | None) -> None:
    assert picture_of(BytesIO(content)) == picture


@pytest.mark.parametrize("content", [png(9, 9), jpeg(9, 9), webp(b"VP8X", EXTENDED), b"\xff\xd8" + b"\xff" * 5000])
def test_a_file_that_is_cut_anywhere_raises_nothing(content: bytes) -> None:
    for length in range(len(content)):
        picture_of(BytesIO(content[:length]))


def test_a_file_without_a_frame_is_not_read_for_ever() -> None:
    class Counting(BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    file = Counting(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 100_000)
    assert picture_of(file) is None
    assert file.reads < 1000
