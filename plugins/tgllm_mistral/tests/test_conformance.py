"""The provider keeps the contract that tgllm's kit checks."""

from collections.abc import Mapping
from typing import ClassVar

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
    exempt: ClassVar[Mapping[str, str]] = {
        "test_the_user_key_arrives": "the API refuses unknown fields, and has none for it"
    }
