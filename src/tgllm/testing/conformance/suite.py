"""The tests of the kit in one class, which keeps itself whole."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from tgllm.testing.conformance.answers import AnswerTests
from tgllm.testing.conformance.failures import FailureTests
from tgllm.testing.conformance.guard import breaches, exemption
from tgllm.testing.conformance.identity import IdentityTests
from tgllm.testing.conformance.kit import SETTINGS
from tgllm.testing.conformance.lifecycle import LifecycleTests
from tgllm.testing.conformance.requests import RequestTests

__all__ = ["ProviderConformance"]


class ProviderConformance(IdentityTests, AnswerTests, RequestTests, FailureTests, LifecycleTests):
    """Tests of a provider; subclass it under a name that begins with ``Test``, and set ``plugin`` and ``under_test``.

    A subclass can't change or leave out a test silently: it has to name it in ``exempt``. An exempt test is still run
    and must fail, so that an exemption that is not needed any longer is told; one that the subclass replaces by a
    test of its own must pass.
    """

    exempt: ClassVar[Mapping[str, str]] = {}
    """Tests that do not fit this provider, and why: ``test_name`` or ``test_name[parameters]`` -> a sentence."""

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401  passed on, whatever it is
        """Refuse a subclass that changes the kit without saying why.

        Raises:
            TypeError: names each test and what is wrong.
        """
        super().__init_subclass__(**kwargs)
        found = breaches(cls, ProviderConformance, SETTINGS, cls.exempt)
        if found:
            raise TypeError(f"{cls.__name__}: {'; '.join(found)}")

    @pytest.fixture(autouse=True)
    def apply_exemptions(self, request: pytest.FixtureRequest) -> None:
        """Let an exempt test be expected to fail."""
        name = request.node.name
        reason = exemption(self.exempt, name)
        replaced = request.node.originalname in vars(type(self))
        if reason is not None and not replaced:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))

    async def test_the_kit_is_whole(self) -> None:
        """No test was changed or left out after the class was made."""
        found = breaches(type(self), ProviderConformance, SETTINGS, self.exempt)
        assert not found, "; ".join(found)  # noqa: S101  the one check that must not be replaced with the kit's helper
