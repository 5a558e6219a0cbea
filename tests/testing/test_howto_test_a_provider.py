"""The code of the guide works as it stands on the page, with the provider of the guide before it."""

import re
from pathlib import Path

import pytest

from tgllm.testing.conformance.under_test import ProviderUnderTest

pytest_plugins = ["pytester"]

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
PAGE = (HOWTO / "test-a-provider.md").read_text(encoding="utf-8")


def python(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (HOWTO / page).read_text(encoding="utf-8"), re.DOTALL)


PROVIDER = python("write-a-provider.md")[0]
KIT, SERVICE, OWN, CONFTEST, BOT = python("test-a-provider.md")


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    settings = "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n"
    pytester.makeini(f"[pytest]\n{settings}")
    pytester.makepyfile(tgllm_example=PROVIDER)
    return pytester


def run(project: pytest.Pytester) -> dict[str, int]:
    """How many tests ended in which way, in a process of their own."""
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")
    return result.parseoutcomes()


def test_the_provider_of_the_guide_passes_the_kit(project: pytest.Pytester) -> None:
    project.makepyfile(KIT)

    outcomes = run(project)

    assert outcomes.pop("passed") >= 50
    assert outcomes == {"xfailed": 1}


def test_a_test_of_ones_own_passes(project: pytest.Pytester) -> None:
    project.makepyfile(OWN)

    assert run(project) == {"passed": 1}


def test_it_answers_in_a_bot(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST)
    project.makepyfile(BOT)

    assert run(project) == {"passed": 1}


def test_a_request_to_a_real_service_is_an_error_there(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST)
    project.makepyfile("""
        import pytest
        from tgllm.api import ConfigError
        from tgllm.providers.network import check_request

        def test_it(monkeypatch):
            with pytest.raises(ConfigError, match="api.example.org"):
                check_request("api.example.org")
    """)

    assert run(project) == {"passed": 1}


def test_what_is_to_be_defined_is_on_the_page() -> None:
    wanted = {name for name in vars(ProviderUnderTest) if not name.startswith("_")} - {"key_setting"}

    assert {name for name in wanted if f"`{name}" not in PAGE} == set()
    compile(SERVICE, "guide", "exec")
