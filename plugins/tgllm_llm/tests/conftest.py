"""A plugin of llm with models that do what a test orders, beside llm's own models of OpenAI."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from local_llm.models import LocalPlugin, local_plugin
from tgllm.testing.making import Make, provider_maker


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of llm for the test, in place of that of the person who runs the tests."""
    folder = tmp_path / "llm"
    folder.mkdir()
    (folder / "keys.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("LLM_USER_PATH", str(folder))
    for name in ("LOCAL_MODELS_KEY", "OPENAI_API_KEY", "LLM_LOAD_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def local() -> Iterator[LocalPlugin]:
    with local_plugin() as plugin:
        yield plugin


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes providers with settings of the test's own."""
    async with provider_maker("tgllm_llm.plugin") as make_provider:
        yield make_provider
