"""Fake servers of the LLM APIs of the bundled plugins: real HTTP on 127.0.0.1, no key, no network.

async with FakeMistral() as fake:
fake.answer(["Hel", "lo"], reasoning="hm")
...  # point a client at fake.base_url with fake.key
assert fake.requests[-1].body["model"] == "mistral-small-2603"
"""

from tgllm.testing.fake_providers.base.answers import Answer, Signal, Step
from tgllm.testing.fake_providers.base.deviations import DEVIATIONS, ERROR_FORMS
from tgllm.testing.fake_providers.base.errors import Errors, FakeError
from tgllm.testing.fake_providers.base.faults import Fault
from tgllm.testing.fake_providers.base.journal import FakeRequest
from tgllm.testing.fake_providers.base.server import FakeServer
from tgllm.testing.fake_providers.dipseek import FakeDipseek
from tgllm.testing.fake_providers.gemini import FakeGemini
from tgllm.testing.fake_providers.mistral import FakeMistral
from tgllm.testing.fake_providers.openai import FakeOpenAI

__all__ = [
    "DEVIATIONS",
    "ERROR_FORMS",
    "Answer",
    "Errors",
    "FakeDipseek",
    "FakeError",
    "FakeGemini",
    "FakeMistral",
    "FakeOpenAI",
    "FakeRequest",
    "FakeServer",
    "Fault",
    "Signal",
    "Step",
]
