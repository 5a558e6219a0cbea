"""The code of the guide works as it stands on the page, with the provider of the guide before it."""

import pytest

from docs_support import blocks, read_page
from pytester_support import INI, OPTIONS
from tgllm.testing.conformance.contents.tool_messages import ToolMessageTests
from tgllm.testing.conformance.contents.tools import ToolTests
from tgllm.testing.conformance.under_test import ProviderUnderTest

pytest_plugins = ["pytester"]

PAGE = read_page("howto/test-a-provider.md")


PROVIDER = blocks("howto/write-a-provider.md")[0]
KIT, SERVICE, OWN, CONFTEST, BOT = blocks("howto/test-a-provider.md")


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini(INI)
    pytester.makepyfile(tgllm_example=PROVIDER)
    return pytester


def run(project: pytest.Pytester) -> dict[str, int]:
    """How many tests ended in which way, in a process of their own."""
    result = project.runpytest_subprocess(*OPTIONS)
    return result.parseoutcomes()


def test_the_provider_of_the_guide_passes_the_kit(project: pytest.Pytester) -> None:
    project.makepyfile(KIT)

    outcomes = run(project)

    assert outcomes.pop("passed") >= 50
    # No settings for a proxy and for a timeout; the service doesn't count what is written to a cache; and the provider
    # takes no tools, for an API without them.
    assert outcomes == {"xfailed": 1, "skipped": 3 + number_of(ToolTests) + number_of(ToolMessageTests)}


def number_of(kit: type) -> int:
    """How many tests a part of the kit has; ``test_the_choice_arrives`` is run for four choices."""
    names = [name for name in vars(kit) if name.startswith("test_")]
    return len(names) + 3 * ("test_the_choice_arrives" in names)


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


KIT_FOR_SERVICE = """
from my_service import MyServiceUnderTest
from tgllm.testing.conformance import ProviderConformance


class TestExample(ProviderConformance):
    plugin = "tgllm_example"
    under_test = MyServiceUnderTest
"""


def test_the_service_of_the_guide_works_as_it_stands_there(project: pytest.Pytester) -> None:
    project.makepyfile(my_service=SERVICE, test_it=KIT_FOR_SERVICE)

    outcomes = run(project)

    assert outcomes.pop("passed") >= 90
    assert outcomes.pop("skipped") >= outcomes.pop("warnings")
    assert outcomes == {}
