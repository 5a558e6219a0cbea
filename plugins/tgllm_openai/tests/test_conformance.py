"""The provider keeps the contract that tgllm's kit checks, with a service that takes everything."""

from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import OpenAIUnderTest


class TestOpenAI(ProviderConformance):
    plugin = "tgllm_openai.plugin"
    under_test = OpenAIUnderTest
    wrong_settings = (
        ("base_url", "api.example.org"),
        ("timeout_seconds", 0),
        ("timeout_seconds", "inf"),
        ("context_window", 1),
        ("effort", "much"),
        ("limit_field", "tokens"),
        ("prices", {"m": {"input": -1, "output": 1}}),
        ("use", ["grok"]),
        ("services", {"mine": {}}),
        ("api_kee", "x"),
    )
