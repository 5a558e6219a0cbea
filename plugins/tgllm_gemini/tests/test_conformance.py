"""The provider keeps the contract that tgllm's kit checks."""

from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import GeminiUnderTest


class TestGemini(ProviderConformance):
    plugin = "tgllm_gemini.plugin"
    under_test = GeminiUnderTest
