"""Archives of Office files and books are checked before anything of them is read."""

import io
import struct
import zipfile
from pathlib import Path

import pytest

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files.shared.archives import open_archive

LIMITS = ExtractionLimits(max_chars=1_000_000, seconds=60.0, memory_bytes=2**30)


def test_a_part_that_claims_to_be_larger_than_the_file_is_damage(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.xml", "<a/>")
    content = bytearray(buffer.getvalue())
    # The compressed size in the central directory.
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 20, 0x7FFF_FFFF)
    path = tmp_path / "a.odt"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable) as raised:
        open_archive(path, LIMITS)
    assert raised.value.code == "file_broken"
