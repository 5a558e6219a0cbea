"""Installed providers: which can be chosen, and whether one answers with the given settings."""

from pathlib import Path

import pytest

from cli_support import exists
from plugin_support import write_distribution
from tgllm.api.clock import SystemClock
from tgllm.config.load import load_config
from tgllm.services.setup.providers import Candidate, ProviderSetup

SOURCE = """
import asyncio
from pydantic import BaseModel, SecretStr
from tgllm import hookimpl
from tgllm.api import AuthFailed, ModelInfo, NotConfigured, PluginInfo, Provider, ProviderSpec

class Settings(BaseModel):
    api_key: SecretStr | None = None
    base_url: str | None = None

class Fickle(Provider):
    def __init__(self, key):
        self.key = key
    async def list_models(self):
        if self.key == "hang":
            await asyncio.Event().wait()
        if self.key == "not-this-key":
            raise AuthFailed("the key was refused")
        if self.key == "crash":
            raise LookupError("no list")
        if self.key == "strange":
            return "models"
        return [ModelInfo("one")]
    async def generate(self, request):
        yield None

def create(ctx):
    if ctx.settings.api_key is None:
        raise NotConfigured("Fickle has no key: set FICKLE_KEY", variable="FICKLE_KEY")
    if ctx.settings.base_url is None:
        raise NotConfigured("Fickle has no address", code="wrong_setting", setting="base_url")
    return Fickle(ctx.settings.api_key.get_secret_value())

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="fickle", title="Fickle", api="1.0", settings=Settings, env={"api_key": "FICKLE_KEY"})

@hookimpl
def tgllm_providers():
    return [ProviderSpec("fickle", "Fickle models", create)]
"""
ADDRESS = "http://127.0.0.1:9"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProviderSetup:
    site = tmp_path / "site"
    write_distribution(site, "fickle-plugin", {"tgllm": {"fickle": "fickle_plugin"}}, {"fickle_plugin": SOURCE})
    monkeypatch.syspath_prepend(site)
    monkeypatch.delenv("FICKLE_KEY", raising=False)
    others = "gemini,mistral,dipseek,llm,local,openai,anthropic,whisper"
    environ = {"TGLLM_DISABLE_PLUGINS": others, "TGLLM_DATA_DIR": str(tmp_path / "data")}
    return ProviderSetup(load_config(environ=environ, cwd=tmp_path, with_file=False), SystemClock(), plugins=True)


async def fickle(setup: ProviderSetup) -> Candidate:
    (found,), unusable = await setup.candidates({})
    assert unusable == {}
    return found


async def test_a_provider_without_a_key_can_be_chosen(setup: ProviderSetup) -> None:
    found = await fickle(setup)

    assert (found.id, found.plugin_id, found.state, found.has_key) == ("fickle", "fickle", "needs", False)
    assert found.key is not None
    assert found.key.variable == "FICKLE_KEY"


@pytest.mark.parametrize(
    ("key", "problem", "told"),
    [
        ("right", "", ""),
        ("not-this-key", "key", "the key was refused"),
        ("hang", "unreachable", "no answer within 0.2 s"),
        ("crash", "unreachable", "no list"),
        ("strange", "unreachable", "list_models returned a str"),
    ],
)
async def test_how_it_answers(setup: ProviderSetup, key: str, problem: str, told: str) -> None:
    found = await fickle(setup)
    tried = await setup.try_provider(found, {"fickle": {"api_key": key, "base_url": ADDRESS}}, 0.2)

    assert tried.problem == problem
    assert told in tried.reason
    assert [model.model for model in tried.models] == ([] if problem else ["one"])


async def test_a_setting_that_it_names_is_known(setup: ProviderSetup) -> None:
    found = await fickle(setup)
    tried = await setup.try_provider(found, {"fickle": {"api_key": "right"}})

    assert (tried.problem, tried.field) == ("setting", "base_url")


async def test_the_data_folder_is_not_made(setup: ProviderSetup, tmp_path: Path) -> None:
    await fickle(setup)

    assert not exists(tmp_path / "data")
