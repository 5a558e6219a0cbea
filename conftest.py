"""For all tests, those of the plugins too."""

import gc
import os
import ssl
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from warm_starts import warm_starts

import postgres_run
from copied_files import copied_files
from portable import portable
from tgllm.observe.redaction import redactor
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


@pytest.fixture(scope="session", autouse=True)
def shared_tls_contexts() -> Iterator[None]:
    """HTTP clients of other packages share TLS contexts: to read all certificates takes most of a client's start."""
    made = ssl.create_default_context
    kept = cache(made)

    def create(*args: Any, **options: Any) -> ssl.SSLContext:  # noqa: ANN401  those of the function
        caller = sys._getframe(1).f_globals["__name__"]  # noqa: SLF001  there is no public way to the caller
        is_client = caller.partition(".")[0] in {"aiogram", "httpcore2", "httpx", "httpx2"}
        return (kept if is_client else made)(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", create)
        yield


@pytest.fixture(autouse=True)
def quick_starts() -> Iterator[None]:
    """Programs that are started by ``python -m tgllm`` don't import everything anew."""
    with warm_starts():
        yield


@pytest.fixture(autouse=True)
def own_secrets() -> Iterator[None]:
    """What counts as a secret in one test, such as an ordinary word, is none in the next one."""
    before = vars(redactor).copy()
    yield
    # Results that are kept are of before, too.
    vars(redactor).update(before, _results={})


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
