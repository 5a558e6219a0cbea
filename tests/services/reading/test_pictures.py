"""Pictures reach a model as the camera was held, small enough, and without what they say about their place."""

import asyncio
import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from tgllm.api.errors import FileUnreadable
from tgllm.services.reading.bare import Bare, bare
from tgllm.services.reading.values import PictureLimits, Prepared

LIMITS = PictureLimits()
GPS = 0x8825


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def drawn(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    """A picture that is red on the left and blue on the right."""
    image = Image.new(mode, size, "blue")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1]), fill="red")
    return image


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = "SECRET camera"
    made.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return made


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size, with few bytes of data."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG that claims a size."""
    made = bytearray(encoded(drawn(), "JPEG"))
    at = made.index(b"\xff\xc0")
    made[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(made)


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def prepare(reading: Any, tmp_path: Path) -> Callable[..., Any]:
    async def run(content: bytes, limits: PictureLimits = LIMITS) -> tuple[Prepared, bytes]:
        path, target = tmp_path / "picture", tmp_path / "prepared"
        await asyncio.to_thread(path.write_bytes, content)
        prepared = await reading.pool.picture(path, target, limits, "a photo.jpg")
        assert prepared.path in {path, target}
        assert prepared.path == target or not target.exists()
        made = prepared.path.read_bytes()
        assert prepared.size == len(made)
        return prepared, made

    return run


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
@pytest.mark.parametrize("size", [(60, 40), (2048, 1)])
async def test_a_picture_that_fits_stays_byte_for_byte(
    prepare: Any, kind: str, mime: str, size: tuple[int, int]
) -> None:
    content = encoded(drawn(size), kind)

    prepared, made = await prepare(content)

    assert hashlib.sha256(made).digest() == hashlib.sha256(content).digest()
    assert (prepared.mime, prepared.width, prepared.height) == (mime, *size)


@pytest.mark.parametrize(
    "content",
    [
        encoded(drawn(), "JPEG", progressive=True),
        encoded(drawn().convert("L"), "JPEG"),
        encoded(drawn().convert("CMYK"), "JPEG"),
        encoded(drawn().convert("RGBA"), "PNG"),
        encoded(drawn().convert("P"), "PNG"),
        encoded(drawn(), "WEBP", lossless=True),
        encoded(drawn().convert("RGBA"), "WEBP"),
        encoded(drawn(), "JPEG", restart_marker_blocks=1),
    ],
    ids=["progressive", "grey", "cmyk", "alpha", "palette", "lossless webp", "alpha webp", "restarts"],
)
def test_pictures_without_metadata_are_recognised(content: bytes) -> None:
    found = bare(content)
    assert found is not None
    assert (found.width, found.height) == (60, 40)


@pytest.mark.parametrize(
    "content",
    [
        encoded(drawn(), "JPEG", exif=exif()),
        encoded(drawn(), "JPEG", icc_profile=profile()),
        encoded(drawn(), "JPEG", comment=b"SECRET"),
        encoded(drawn(), "JPEG", xmp=b"<x:xmpmeta>SECRET</x:xmpmeta>"),
        encoded(drawn(), "JPEG") + b"SECRET after the end",
        encoded(drawn(), "JPEG")[:2] + b"\xff\xed\x00\x08SECRET" + encoded(drawn(), "JPEG")[2:],
        encoded(drawn(), "PNG", exif=exif()),
        encoded(drawn(), "PNG", icc_profile=profile()),
        encoded(drawn(), "PNG") + b"SECRET",
        encoded(drawn(), "WEBP", exif=exif()),
        encoded(drawn(), "WEBP", xmp=b"SECRET"),
        encoded(drawn(), "WEBP", icc_profile=profile()),
        encoded(drawn(), "GIF", comment=b"SECRET"),
        encoded(drawn(), "TIFF", exif=exif()),
        encoded(drawn(), "AVIF", exif=exif()),
        encoded(drawn(), "MPO", save_all=True, append_images=[drawn()], exif=exif()),
    ],
    ids=[
        *("jpeg exif", "jpeg icc", "jpeg comment", "jpeg xmp", "jpeg trailer", "jpeg iptc"),
        *("png exif", "png icc", "png trailer", "webp exif", "webp xmp", "webp icc", "gif comment"),
        *("tiff exif", "avif exif", "mpo"),
    ],
)
async def test_metadata_is_removed(prepare: Any, content: bytes) -> None:
    prepared, made = await prepare(content)

    assert made != content
    assert b"SECRET" not in made
    assert bare(made) == Bare(prepared.mime, prepared.width, prepared.height)
    with Image.open(BytesIO(made)) as image:
        assert not image.getexif()
        assert image.size == (60, 40)
        red, _, blue = image.convert("RGB").getpixel((5, 20))  # type: ignore[misc]  three numbers
        assert red > 200
        assert blue < 60


async def test_words_in_a_png_are_removed(prepare: Any) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "SECRET")
    _, made = await prepare(encoded(drawn(), "PNG", pnginfo=words))
    assert b"SECRET" not in made
    assert made.startswith(b"\x89PNG")


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_is_turned_as_the_camera_was_held(prepare: Any, orientation: int) -> None:
    turns = {3: 180, 6: 90, 8: -90, 5: 90, 7: -90, 4: 180}
    upright = drawn()
    stored = upright.rotate(turns.get(orientation, 0), expand=True)
    if orientation in {2, 4, 5, 7}:
        stored = stored.transpose(
            Image.Transpose.FLIP_LEFT_RIGHT if orientation in {2, 4} else Image.Transpose.FLIP_TOP_BOTTOM
        )

    _, made = await prepare(encoded(stored, "JPEG", exif=exif(orientation)))

    with Image.open(BytesIO(made)) as image:
        assert image.size == (60, 40)
        left, right = image.getpixel((10, 20)), image.getpixel((50, 20))
    assert left[0] > 200 and left[2] < 60  # type: ignore[index]  # noqa: PT018  one colour
    assert right[2] > 200 and right[0] < 60  # type: ignore[index]  # noqa: PT018  one colour


@pytest.mark.parametrize(
    ("size", "wanted"), [((4000, 3000), (2048, 1536)), ((30, 5000), (12, 2048)), ((1, 4000), (1, 2048))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_a_large_picture_is_made_smaller(
    prepare: Any, kind: str, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    prepared, _ = await prepare(encoded(drawn(size), kind))
    assert (prepared.width, prepared.height) == wanted


async def test_a_heavy_picture_is_made_lighter(prepare: Any) -> None:
    noise = Image.effect_noise((600, 600), 200)
    limits = replace(LIMITS, max_bytes=40_000)
    prepared, made = await prepare(encoded(noise, "PNG"), limits)
    assert len(made) <= 40_000
    assert prepared.mime == "image/jpeg"
    assert prepared.width > 200


async def test_transparency_is_kept(prepare: Any) -> None:
    image = drawn((3000, 20)).convert("RGBA")
    image.putalpha(7)
    prepared, made = await prepare(encoded(image, "PNG"))
    assert prepared.mime == "image/png"
    with Image.open(BytesIO(made)) as shown:
        assert shown.convert("RGBA").getpixel((5, 5))[3] == 7  # type: ignore[index]  RGBA has four channels


async def test_a_model_without_png_gets_jpeg_on_white(prepare: Any) -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    prepared, made = await prepare(encoded(image, "PNG"), replace(LIMITS, mime_types=frozenset({"image/jpeg"})))
    assert prepared.mime == "image/jpeg"
    with Image.open(BytesIO(made)) as shown:
        assert shown.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_of_an_animation_the_first_picture_is_shown(prepare: Any, kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)

    _, made = await prepare(content)

    with Image.open(BytesIO(made)) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert image.convert("RGB").getpixel((5, 5))[0] > 200  # type: ignore[index]  RGB has three channels


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "AVIF", "ICO", "JPEG2000"])
async def test_other_formats(prepare: Any, kind: str) -> None:
    content = encoded(drawn((64, 64)), kind)
    if kind == "JPEG2000":
        # A decoder that is not needed is not offered foreign files.
        with pytest.raises(FileUnreadable) as raised:
            await prepare(content)
        assert raised.value.code == "file_broken"
        return
    prepared, _ = await prepare(content)
    assert prepared.mime in {"image/png", "image/jpeg"}
    assert (prepared.width, prepared.height) == (64, 64)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "I", "F", "CMYK", "YCbCr", "LAB", "RGBA"])
async def test_colours_of_all_kinds(prepare: Any, mode: str) -> None:
    image = Image.new(mode, (3000, 10), 0 if mode in {"I", "F", "I;16"} else None)
    prepared, _ = await prepare(encoded(image, "TIFF"))
    assert prepared.width == 2048


async def test_sixteen_bits_of_grey_are_not_white(prepare: Any) -> None:
    image = Image.new("I;16", (3000, 10), 0x4000)
    _, made = await prepare(encoded(image, "PNG"))
    with Image.open(BytesIO(made)) as shown:
        assert shown.convert("L").getpixel((5, 5)) == 0x40


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"no picture at all", "file_broken"),
        (encoded(drawn((900, 900)), "JPEG")[:3000], "file_broken"),
        (encoded(drawn((900, 900)), "JPEG", exif=exif())[:3000], "file_broken"),
        (encoded(drawn((900, 900)), "PNG")[:300], "file_broken"),
        (encoded(drawn(), "JPEG")[:20], "file_broken"),
        (encoded(drawn(), "GIF")[:-20], "file_broken"),
        (png_of(400, 400), "file_broken"),
        (png_of(30_000, 30_000), "file_too_large_to_read"),
        (png_of(20_000, 10_000), "file_too_large_to_read"),
        (png_of(2**31 - 1, 2**31 - 1), "file_too_large_to_read"),
        (jpeg_of(30_000, 30_000), "file_too_large_to_read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "file_broken"),
    ],
    ids=[
        *(
            "empty",
            "text",
            "cut jpeg",
            "cut jpeg with exif",
            "cut png",
            "head of a jpeg",
            "cut gif",
            "png without rows",
        ),
        *("bomb", "large", "huge", "jpeg bomb", "eps"),
    ],
)
async def test_what_is_no_picture_is_told(prepare: Any, reading: Any, content: bytes, code: str) -> None:
    with pytest.raises(FileUnreadable) as raised:
        await prepare(content)
    assert (raised.value.code, raised.value.params) == (code, {"name": "a photo.jpg"})
    assert len(reading.pool.pids) == 1


async def test_a_photo_of_forty_eight_megapixels(prepare: Any) -> None:
    prepared, _ = await prepare(encoded(Image.new("RGB", (8000, 6000), "red"), "JPEG"))
    assert (prepared.width, prepared.height) == (2048, 1536)


async def test_files_that_change_anywhere_never_crash(reading: Any, tmp_path: Path) -> None:
    whole = [encoded(drawn(), kind, exif=exif()) for kind in ("JPEG", "PNG", "WEBP")] + [encoded(drawn(), "GIF")]
    path = tmp_path / "picture"
    codes: set[str] = set()

    async def outcome() -> str:
        try:
            prepared = await reading.pool.picture(path, tmp_path / "prepared", LIMITS)
        except FileUnreadable as error:
            return error.code
        return "prepared" if b"SECRET" not in prepared.path.read_bytes() else "told"

    for content in whole:
        for at in range(0, len(content), max(1, len(content) // 40)):
            changed = bytearray(content)
            changed[at] ^= 0xFF
            await asyncio.to_thread(path.write_bytes, bytes(changed))
            codes.add(await outcome())
    assert {"prepared", "file_broken"} <= codes <= {"prepared", "file_broken", "file_too_large_to_read"}
    assert len(reading.pool.pids) == 1


class TestWithoutPillow:
    @pytest.fixture(autouse=True)
    def hidden(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An import of Pillow fails in processes that start from now on."""
        folder = tmp_path / "hiding"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text("import sys\nsys.modules['PIL'] = None")
        monkeypatch.setenv("PYTHONPATH", str(folder))

    async def test_a_picture_without_metadata_goes_as_it_is(self, prepare: Any) -> None:
        content = encoded(drawn(), "JPEG")
        assert (await prepare(content))[1] == content

    @pytest.mark.parametrize(
        "content", [encoded(drawn(), "JPEG", exif=exif()), encoded(drawn((3000, 5)), "PNG"), encoded(drawn(), "BMP")]
    )
    async def test_for_another_the_admins_learn_what_to_install(
        self, prepare: Any, reading: Any, content: bytes
    ) -> None:
        with pytest.raises(FileUnreadable) as raised:
            await prepare(content)
        assert raised.value.code == "file_needs"
        assert raised.value.params == {"name": "a photo.jpg", "command": "pip install 'tgllm[files]'"}
        assert [(each.plugin_id, each.modules) for each in reading.missing] == [("tgllm", ("PIL",))]


class TestHeic:
    @pytest.fixture(autouse=True)
    def hidden(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An import of pillow-heif fails in processes that start from now on."""
        folder = tmp_path / "hiding"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text("import sys\nsys.modules['pillow_heif'] = None")
        monkeypatch.setenv("PYTHONPATH", str(folder))

    @pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
    async def test_the_admins_learn_what_to_install(self, prepare: Any, reading: Any, brand: bytes) -> None:
        with pytest.raises(FileUnreadable) as raised:
            await prepare(b"\x00\x00\x00\x1cftyp" + brand + b"\0\0\0\0mif1heicmiaf" + bytes(500))
        assert raised.value.code == "file_needs"
        assert raised.value.params == {"name": "a photo.jpg", "command": "pip install pillow-heif"}
        assert [(each.plugin_id, each.modules) for each in reading.missing] == [("tgllm", ("pillow_heif",))]
