"""Files for the built-in file handlers."""

import tempfile
from pathlib import Path
from types import ModuleType

from tgllm.api.files import Extracted, ExtractionLimits

__all__ = ["read"]


def read(module: ModuleType, content: bytes | str, name: str = "blob", max_chars: int = 100_000) -> Extracted:
    """Return what a handler's module makes of a file; the result is within its limits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found = module.extract(path, ExtractionLimits(max_chars, 60, 1 << 30))
    assert isinstance(found, Extracted)
    assert len(found.text) <= max_chars
    found.text.encode()
    return found
