"""The provider keeps the contract that tgllm's kit checks."""

from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import MistralUnderTest


class TestMistral(ProviderConformance):
    plugin = "tgllm_mistral.plugin"
    under_test = MistralUnderTest
    wrong_settings = (
        ("base_url", "api.example.org"),
        ("timeout_seconds", 0),
        ("timeout_seconds", "inf"),
        ("api_kee", "x"),
    )
