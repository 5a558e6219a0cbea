"""Types of audio, video and pictures whose container alone doesn't tell them apart."""

import struct
from typing import BinaryIO

__all__ = ["media_type"]

_PICTURES = {
    "heic": "image/heic", "heix": "image/heic", "heim": "image/heic", "heis": "image/heic",
    "hevc": "image/heic-sequence", "hevx": "image/heic-sequence",
    "avif": "image/avif", "avis": "image/avif", "mif1": "image/heif", "msf1": "image/heif", "crx ": "image/x-canon-cr3",
}  # fmt: skip
_SOUND_BRANDS = frozenset({"M4A ", "M4B ", "M4P "})
_MOVIE_READ = 512 * 1024
_MOST_BOXES = 64


def media_type(stream: BinaryIO, head: bytes) -> str | None:
    """Return the type of a recording, video or picture in a container of several kinds, or None if it is none."""
    if head[4:8] == b"ftyp":
        return _iso_type(stream, head)
    if head.startswith(b"OggS"):
        is_video = any(mark in head[:4096] for mark in (b"\x80theora", b"BBCD\x00", b"OVP80"))
        return "video/ogg" if is_video else "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska_type(head)
    if head.startswith(b"RIFF"):
        return {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp"}.get(head[8:12])
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith(b"ID3"):
        return _tagged_type(head)
    return _frame_type(head)


def _iso_type(stream: BinaryIO, head: bytes) -> str:
    """Return the type of an ISO base media file by its brands, then by its tracks."""
    (size,) = struct.unpack_from(">I", head)
    box = head[8 : max(12, min(size, 256))].decode("latin-1")
    brand, others = box[:4], [box[at : at + 4] for at in range(8, len(box), 4)]
    if brand in {"mif1", "msf1"}:
        brand = next((other for other in others if other in _PICTURES and other not in {"mif1", "msf1"}), brand)
    if brand in _PICTURES:
        return _PICTURES[brand]
    if brand in _SOUND_BRANDS or not _has_pictures(stream):
        return "audio/mp4"
    if brand == "qt  ":
        return "video/quicktime"
    return "video/3gpp" if brand.startswith("3g") else "video/mp4"


def _has_pictures(stream: BinaryIO) -> bool:
    """Return whether a movie has a video track, or may have one: its description may be cut off."""
    position = 0
    for _ in range(_MOST_BOXES):
        stream.seek(position)
        header = stream.read(16)
        if len(header) < 8:
            return True
        size, kind = struct.unpack_from(">I4s", header)
        if kind == b"moov":
            stream.seek(position)
            movie = stream.read(min(size or _MOVIE_READ, _MOVIE_READ))
            # The type of a track's handler stands 8 bytes behind the name of its box.
            tracks = {movie[at + 12 : at + 16] for at in _positions(movie, b"hdlr")}
            return b"soun" not in tracks or bool(tracks & {b"vide", b"pict"}) or len(movie) < size
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
        if size < 8:
            return True
        position += size
    return True


def _positions(data: bytes, wanted: bytes) -> list[int]:
    found: list[int] = []
    at = data.find(wanted)
    while at >= 0 and len(found) < 100:
        found.append(at)
        at = data.find(wanted, at + 4)
    return found


def _matroska_type(head: bytes) -> str:
    """Return the type of a Matroska or WebM file; codecs are named V_... and A_... by its tracks."""
    is_webm = b"webm" in head[:64]
    codecs = {head[at + 3 : at + 5] for at in _positions(head, b"\x86")} | {
        head[at + 2 : at + 4] for at in _positions(head, b"\x86")
    }
    is_sound = b"A_" in codecs and b"V_" not in codecs
    return f"{'audio' if is_sound else 'video'}/{'webm' if is_webm else 'x-matroska'}"


def _tagged_type(head: bytes) -> str:
    """Return the type of sound behind an ID3 tag, which FLAC and AAC have too."""
    if len(head) < 10:
        return "audio/mpeg"
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    sound = head[10 + size :]
    if sound.startswith(b"fLaC"):
        return "audio/flac"
    return _frame_type(sound) or "audio/mpeg"


def _frame_type(head: bytes) -> str | None:
    """Return the type of sound by its first frame: 11 or 12 set bits, then the version and layer."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    second, third = head[1], head[2]
    if second & 0xF6 == 0xF0:
        return "audio/aac"
    is_audio = second & 0xE0 == 0xE0 and second & 0x18 != 0x08 and second & 0x06 != 0
    return "audio/mpeg" if is_audio and third & 0xF0 != 0xF0 and third & 0x0C != 0x0C else None
