"""The provider keeps the contract that tgllm's kit checks, with a model that reasons by default."""

from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import AnthropicUnderTest


class TestAnthropic(ProviderConformance):
    plugin = "tgllm_anthropic.plugin"
    under_test = AnthropicUnderTest
    wrong_settings = (
        ("base_url", "api.anthropic.com"),
        ("timeout_seconds", 0),
        ("timeout_seconds", "inf"),
        ("api_version", "latest"),
        ("cache", "2h"),
        ("max_output_tokens", 0),
        ("api_kee", "x"),
    )
