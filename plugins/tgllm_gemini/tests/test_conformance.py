"""The provider keeps the contract that tgllm's kit checks."""

from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import GeminiUnderTest


class TestGemini(ProviderConformance):
    plugin = "tgllm_gemini.plugin"
    under_test = GeminiUnderTest
    wrong_settings = (
        ("base_url", "api.example.org"),
        ("timeout_seconds", 0),
        ("timeout_seconds", "inf"),
        ("api_kee", "x"),
        ("project", ""),
        ("api_version", "v2"),
    )
