"""All tests of the kit in one class, which checks that a subclass leaves none out."""

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

import pytest

from tgllm.testing.conformance.answers import AnswerTests
from tgllm.testing.conformance.checking import exempted
from tgllm.testing.conformance.contents.conversation import ConversationTests
from tgllm.testing.conformance.contents.endings import EndingTests
from tgllm.testing.conformance.contents.models import ModelTests
from tgllm.testing.conformance.contents.options import OptionTests
from tgllm.testing.conformance.contents.tool_messages import ToolMessageTests
from tgllm.testing.conformance.contents.tools import ToolTests
from tgllm.testing.conformance.contents.usage import UsageTests
from tgllm.testing.conformance.deviations import DeviationTests
from tgllm.testing.conformance.failures import FailureTests
from tgllm.testing.conformance.guard import breaches, exemption
from tgllm.testing.conformance.identity import IdentityTests
from tgllm.testing.conformance.kit import SETTINGS
from tgllm.testing.conformance.lifecycle import LifecycleTests
from tgllm.testing.conformance.network.addresses import AddressTests
from tgllm.testing.conformance.network.blocking import BlockingTests
from tgllm.testing.conformance.network.responses import ResponseTests
from tgllm.testing.conformance.requests import RequestTests
from tgllm.testing.conformance.settings import SettingsTests

__all__ = ["ProviderConformance"]


class ProviderConformance(
    IdentityTests,
    SettingsTests,
    AnswerTests,
    EndingTests,
    UsageTests,
    DeviationTests,
    RequestTests,
    ConversationTests,
    OptionTests,
    ToolTests,
    ToolMessageTests,
    ModelTests,
    FailureTests,
    ResponseTests,
    AddressTests,
    LifecycleTests,
    BlockingTests,
):
    """Tests of a provider. Subclass it as ``Test...``, and set ``plugin`` and ``under_test``.

    A subclass can change or leave out a test only if it names the test in ``exempt``. An exempt test still runs and
    must fail, which reports exemptions that are no longer needed; an exempt test that the subclass replaces with its
    own must pass.
    """

    exempt: ClassVar[Mapping[str, str]] = {}
    """Tests that do not apply to this provider: ``test_name`` or ``test_name[parameters]`` -> reason."""

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401  passed through
        """Refuse a subclass that changes the kit without giving a reason.

        Raises:
            TypeError: names each test and its problem.
        """
        super().__init_subclass__(**kwargs)
        found = breaches(cls, ProviderConformance, SETTINGS, cls.exempt)
        if found:
            raise TypeError(f"{cls.__name__}: {'; '.join(found)}")

    @pytest.fixture(autouse=True)
    def apply_exemptions(self, request: pytest.FixtureRequest) -> Generator[None, None, None]:
        """Mark an exempt test as expected to fail."""
        name = request.node.name
        reason = exemption(self.exempt, name)
        replaced = request.node.originalname in vars(type(self))
        if reason is not None and not replaced:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))
            with exempted():
                yield
        else:
            yield

    async def test_the_kit_is_whole(self) -> None:
        """No test was changed or left out after the creation of the class."""
        found = breaches(type(self), ProviderConformance, SETTINGS, self.exempt)
        assert not found, "; ".join(found)  # noqa: S101  does not use check, which a subclass's module could replace
