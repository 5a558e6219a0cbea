"""Limits of the readers, and how their refusals are seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits

LIMITS = ExtractionLimits(max_chars=100_000, seconds=60, memory_bytes=2**30)

Extract = Callable[[Path, ExtractionLimits], Extracted]


@pytest.fixture
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Reads content with the ``EXTRACT`` of the test's module."""
    extract: Extract = request.module.EXTRACT

    def run(content: bytes, limits: ExtractionLimits = LIMITS) -> Extracted:
        path = tmp_path / "0f3c"
        path.write_bytes(content)
        return extract(path, limits)

    return run


@pytest.fixture
def refused(read: Any) -> Any:
    """The code of the error with which content is refused."""

    def run(content: bytes, limits: ExtractionLimits = LIMITS) -> str:
        with pytest.raises(FileUnreadable) as caught:
            read(content, limits)
        return caught.value.code

    return run
