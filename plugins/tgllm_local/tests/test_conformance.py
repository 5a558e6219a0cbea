"""The provider keeps the contract that tgllm's kit checks, with a fake of llama.cpp's server as its child."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from llama_support import FakeLlama, write_model
from tgllm.api import ModelInfo
from tgllm.testing.conformance import ProviderConformance
from tgllm.testing.conformance.fakes import FakeUnderTest

NO_KEY = "models on this machine need no key"
FOLDER = "its list is a folder on this machine; see test_plugin.py"


class LlamaUnderTest(FakeUnderTest[FakeLlama]):
    """llama.cpp with one model in a folder."""

    model = "tiny"
    fake_type = FakeLlama
    folder: ClassVar[Path]
    children: ClassVar[Any]

    @property
    def settings(self) -> Mapping[str, object]:
        return {"models": str(self.folder)}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.children.base_url = self.fake.base_url
        return self

    def models(self) -> Sequence[ModelInfo]:
        for name in ("second", "third"):
            write_model(self.folder / f"{name}.gguf", llama__context_length=2048)
        return [ModelInfo("tiny", tools=True), *(ModelInfo(name, context_window=2048) for name in ("second", "third"))]

    def to_replay(self) -> str | None:
        return None


@pytest.fixture(autouse=True)
def service(folder: Path, children: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LlamaUnderTest, "folder", folder, raising=False)
    monkeypatch.setattr(LlamaUnderTest, "children", children, raising=False)


class TestLocal(ProviderConformance):
    plugin = "tgllm_local.plugin"
    under_test = LlamaUnderTest
    wrong_settings = (
        ("context_tokens", 10),
        ("parallel", 0),
        ("threads", 0),
        ("loaded_models", 0),
        ("idle_seconds", 0),
        ("load_seconds", "inf"),
        ("timeout_seconds", 0),
        ("modells", "x"),
    )
    exempt: ClassVar[Mapping[str, str]] = {
        "test_without_a_key_it_says_what_to_set": NO_KEY,
        "test_no_key_is_told": NO_KEY,
        "test_a_list_that_cannot_be_had_is_an_error": FOLDER,
        "test_a_broken_list_is_an_error": FOLDER,
        "test_the_list_is_asked_for_anew": FOLDER,
        "test_the_user_key_arrives": "the models on this machine need not tell people apart",
    }
