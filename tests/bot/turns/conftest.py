"""In these tests each unit of a write transaction runs twice, the first time in vain: it must change nothing else."""

import pytest

from database_support import retry_each_unit


@pytest.fixture(autouse=True)
def units_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run them twice, as on a disk that was full."""
    retry_each_unit(monkeypatch)
