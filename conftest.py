"""For all tests, those of the plugins too."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import postgres_run
from copied_files import copied_files
from portable import portable
from tgllm.providers.network import VARIABLE

# A request to a real service costs money, and fails where there is no network; processes that a test starts inherit it.
os.environ.setdefault(VARIABLE, "0")

# The tests are a million objects that stay. With the default thresholds, looking through them again and again takes a
# third of the time of collecting the tests.
gc.set_threshold(50_000, 20, 100)

# No test may fail because the machine is busy. The jobs of .github/workflows/ci.yml ask for more examples.
settings.register_profile(
    "unhurried",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def quick_files() -> Iterator[None]:
    """New database files are copies of one."""
    with copied_files():
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of ``make test`` for the other Pythons and of ``make test-postgres``."""
    postgres_run.add_options(parser)
    parser.addoption(
        "--portable",
        nargs="?",
        const="whole",
        choices=["whole", "first"],
        help="run the tests that may depend on the version of Python, or only the first test of each module",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the PostgreSQL of the run if it needs one."""
    postgres_run.configure(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the portable tests, or one case of each test, if they are asked for."""
    if config.getoption("--first-cases"):
        items[:], left_out = postgres_run.of_each_test_one_case(items)
        config.hook.pytest_deselected(items=left_out)
    if extent := config.getoption("--portable"):
        kept, left_out = portable(items, only_first=extent == "first")
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish() -> None:
    """Take what was made until now from the objects that the garbage collector looks through."""
    gc.collect()
    gc.freeze()
