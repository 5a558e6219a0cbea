"""The provider keeps the contract that tgllm's kit checks."""

from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import DipseekUnderTest


class TestDipseek(ProviderConformance):
    plugin = "tgllm_dipseek.plugin"
    under_test = DipseekUnderTest
