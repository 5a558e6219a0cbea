"""Archives of Office files and books, written by hand."""

import io
import zipfile
from collections.abc import Mapping

__all__ = ["archive", "claim_size", "ole"]


def archive(members: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def claim_size(content: bytes, real: int, claimed: int) -> bytes:
    """The archive, in which a member claims another size than it has."""
    assert real.to_bytes(4, "little") in content
    return content.replace(real.to_bytes(4, "little"), claimed.to_bytes(4, "little"))


def ole(*streams: str) -> bytes:
    """The beginning of an old or encrypted Office file, with the names of its streams."""
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names + bytes(2048)
