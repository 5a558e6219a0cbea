"""The provider keeps the contract that tgllm's kit checks."""

from collections.abc import Mapping
from typing import ClassVar

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
    exempt: ClassVar[Mapping[str, str]] = {"test_the_user_key_arrives": "the API has no field for it"}
