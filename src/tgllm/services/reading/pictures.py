"""Preparation of pictures for models: turned, made smaller, and without metadata. Runs in a reading process."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgllm.api.errors import FileUnreadable
from tgllm.services.reading.bare import Bare, bare

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["prepare"]

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Brands of HEIF files, at byte 8. AVIF, which Pillow reads itself, has others."""
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "BMP", "TIFF", "ICO")
"""Formats that are read. Pillow knows others, and runs another program for one of them (EPS)."""
_LOSSLESS = frozenset({"PNG", "GIF", "BMP", "ICO"})
"""Formats of drawings and screenshots, whose small text JPEG would blur."""
_QUALITIES = (85, 70, 50)
_SMALLER = 0.7
"""Factor by which the sides shrink while the file is still too large."""
_MOST_SHRINKS = 12
_FACTOR_OF_DECLARED = 3
"""JPEG is decoded at a fraction of its size, so a larger one can be read."""


def prepare(path: Path, target: Path, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare a picture.

    Args:
        path: the picture.
        target: where to write it if it must be changed.
        limits: fields of ``PictureLimits``.

    Returns:
        ``changed``, ``mime``, ``size``, ``width`` and ``height``.

    Raises:
        FileUnreadable: it is no picture, damaged, or too large.
        ModuleNotFoundError: Pillow is not installed, and the picture can't be sent as it is; or pillow-heif is not
            installed, and the picture is HEIC.
    """
    content = path.read_bytes()
    if not content:
        raise FileUnreadable(code="file_empty")
    plain = bare(content)
    if plain is not None and not _fits(plain, len(content), limits):
        plain = None
    if plain is not None and find_spec("PIL") is None:
        return _result(plain, len(content), changed=False)
    return _decoded(content, plain, target, limits)


def _decoded(content: bytes, plain: Bare | None, target: Path, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Decode a picture, and write it unless it is ``plain``; see ``prepare``."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  needed only here

    try:
        with Image.open(BytesIO(content), formats=_available(Image)) as image:
            _check_size(image, limits)
            if plain is not None:
                # Decoding it shows whether it is damaged.
                image.load()
                return _result(plain, len(content), changed=False)
            return _write(_turned(image, limits["max_side"]), image.format or "", target, limits)
    except Image.DecompressionBombError:
        raise FileUnreadable(code="file_too_large_to_read") from None
    except (FileUnreadable, MemoryError):
        raise
    except UnidentifiedImageError:
        if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
            import pillow_heif  # noqa: F401, PLC0415  # pyright: ignore  raises the error if it is not installed
        raise FileUnreadable(code="file_broken") from None
    except Exception as error:
        # Decoders raise errors of many types for damaged files.
        raise FileUnreadable(code="file_broken") from error


def _available(image: Any) -> list[str]:  # noqa: ANN401  the module of Pillow
    with suppress(ImportError):
        from pillow_heif import register_heif_opener  # noqa: PLC0415  # pyright: ignore  optional, and without types

        register_heif_opener()
    image.MAX_IMAGE_PIXELS = None  # see _check_size
    image.init()
    return [name for name in _FORMATS if name in image.OPEN]


def _fits(plain: Bare, size: int, limits: Mapping[str, Any]) -> bool:
    return (
        plain.mime_type in limits["mime_types"]
        and size <= limits["max_bytes"]
        and max(plain.width, plain.height) <= limits["max_side"]
    )


def _check_size(image: "Image", limits: Mapping[str, Any]) -> None:
    """Check the size that the file claims, before anything is decoded.

    Raises:
        FileUnreadable: it is too large.
    """
    declared = image.width * image.height
    if image.format == "JPEG":
        side = limits["max_side"]
        image.draft("RGB", (side, side))
    if image.width * image.height > limits["most_pixels"] or declared > _FACTOR_OF_DECLARED * limits["most_pixels"]:
        raise FileUnreadable(code="file_too_large_to_read")


def _turned(image: "Image", side: int) -> "Image":
    """Return the first picture of a file, not larger than ``side``, as the camera was held."""
    from PIL import ImageOps  # noqa: PLC0415  needed only here

    profile = image.info.get("icc_profile")
    image.seek(0)
    if image.mode in {"P", "PA", "LA", "La", "RGBa"} or "transparency" in image.info:
        image = image.convert("RGBA")
    image.thumbnail((side, side))
    turned = ImageOps.exif_transpose(image)
    turned = _in_srgb(turned, profile) if profile else turned
    if turned.mode not in {"RGB", "RGBA", "L"}:
        turned = _grey(turned) if turned.mode.startswith(("I", "F", "1")) else turned.convert("RGB")
    if turned.mode == "RGBA" and turned.getchannel("A").getextrema() == (255, 255):
        turned = turned.convert("RGB")
    # Pillow writes some of these values into the file.
    turned.info = {}
    return turned


def _in_srgb(image: "Image", profile: bytes) -> "Image":
    """Return a picture in the colours that models assume, since its profile is removed."""
    from PIL import ImageCms  # noqa: PLC0415  few pictures need it

    module: Any = ImageCms  # its types are incomplete
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        given = module.ImageCmsProfile(BytesIO(profile))
        converted: Image = module.profileToProfile(image, given, module.createProfile("sRGB"), outputMode=mode)
        return converted
    return image


def _grey(image: "Image") -> "Image":
    """Return a picture with more or fewer than 8 bits of grey as one with 8."""
    if image.mode.startswith("I;16"):
        # The types of Pillow's parameters depend on numpy.
        given: Any = image
        scaled: Image = given.point(_high_byte)
        return scaled.convert("L")
    return image.convert("L")


def _high_byte(value: float) -> float:
    return value / 256


def _write(image: "Image", kind: str, target: Path, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Write a picture in the best form that is small enough.

    Raises:
        FileUnreadable: there is none.
    """
    for smaller in _sizes(image):
        for mime_type, content in _encodings(smaller, kind, limits):
            if len(content) <= limits["max_bytes"]:
                target.write_bytes(content)
                return _result(Bare(mime_type, *smaller.size), len(content), changed=True)
    raise FileUnreadable(code="file_too_large_to_read")


def _sizes(image: "Image") -> "Iterator[Image]":
    given: Any = image  # see _grey
    for number in range(_MOST_SHRINKS):
        factor = _SMALLER**number
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        yield image if number == 0 else given.resize(size)


def _encodings(image: "Image", kind: str, limits: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield a picture in the forms in which it can be sent, the best one first."""
    if (image.mode == "RGBA" or kind in _LOSSLESS) and "image/png" in limits["mime_types"]:
        yield "image/png", _encoded(image, "PNG")
    for quality in _QUALITIES:
        yield "image/jpeg", _encoded(_opaque(image), "JPEG", quality=quality)


def _opaque(image: "Image") -> "Image":
    """Return a picture on white, since JPEG has no transparency."""
    if image.mode != "RGBA":
        return image
    from PIL import Image  # noqa: PLC0415  needed only here

    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _encoded(image: "Image", kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _result(picture: Bare, size: int, *, changed: bool) -> dict[str, Any]:
    return {
        "changed": changed,
        "mime": picture.mime_type,
        "size": size,
        "width": picture.width,
        "height": picture.height,
    }
