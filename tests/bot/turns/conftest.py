"""In these tests each unit of a write transaction runs twice, the first time in vain: it must change nothing else."""

import pytest

from database_support import retry_each_unit
from loop_support import Box


@pytest.fixture(autouse=True)
def units_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run them twice, as on a disk that was full."""
    retry_each_unit(monkeypatch)


@pytest.fixture
def box() -> Box:
    """A plugin with tools."""
    return Box()
