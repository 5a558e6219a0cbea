"""Files that can't be read, and what is told."""

from pathlib import Path

import pytest

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files.plugin import _HANDLERS


@pytest.mark.parametrize(
    ("mime", "code"),
    [
        ("application/x-empty", "file_empty"),
        ("application/vnd.ms-outlook", "file_unreadable"),
    ],
)
def test_the_reason_is_named(tmp_path: Path, mime: str, code: str) -> None:
    (tmp_path / "blob").write_bytes(b"")
    handler = next(handler for handler in _HANDLERS if mime in handler.mime_types)

    with pytest.raises(FileUnreadable) as caught:
        handler.extract(tmp_path / "blob", ExtractionLimits(1000, 60, 1 << 30))

    assert caught.value.code == code
