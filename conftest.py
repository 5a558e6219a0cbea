"""For all tests, those of the plugins too."""

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

from portable import portable
from tgllm.providers.network import VARIABLE

if TYPE_CHECKING:
    import pytest

# A request to a real service costs money, and fails where there is no network; processes that a test starts inherit it.
os.environ.setdefault(VARIABLE, "0")

# No test may fail because the machine is busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Add the option of ``make test`` for the other Pythons."""
    parser.addoption("--portable", action="store_true", help="run the tests that may depend on the version of Python")


def pytest_collection_modifyitems(config: "pytest.Config", items: "list[pytest.Item]") -> None:
    """Select the portable tests if they are asked for."""
    if config.getoption("--portable"):
        kept, left_out = portable(items)
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)
