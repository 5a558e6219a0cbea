"""What the plugin says where something is missing, and its texts."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import ModelNotFound, NotConfigured
from tgllm.testing.making import provider_maker
from tgllm_local import errors, plugin
from tgllm_local.settings import Settings

TEXTS = plugin.tgllm_plugin_info().texts
ERRORS = [
    errors.no_llama(),
    errors.no_models("/models"),
    errors.bad_file("m", "r"),
    errors.no_memory("m", 2**30, 2**20),
    errors.killed("m"),
    errors.not_loaded("m", "RuntimeError", ()),
]


def test_its_names() -> None:
    info, (spec,) = plugin.tgllm_plugin_info(), plugin.tgllm_providers()

    assert (info.id, spec.id) == ("local", "local")


async def test_without_llama_cpp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(plugin, "find_spec", lambda _name: None)

    async with provider_maker("tgllm_local.plugin", models=str(folder)) as make:
        with pytest.raises(NotConfigured, match="pip install xllamacpp"):
            await make()
    (check,) = plugin.tgllm_doctor()
    assert check.state == "not configured"


async def test_without_a_model_it_says_where_to_put_one(children: Any) -> None:
    async with provider_maker("tgllm_local.plugin") as make:
        with pytest.raises(NotConfigured, match=r"GGUF file into .*models.* TGLLM_PLUGINS__LOCAL__MODELS"):
            await make()


async def test_a_broken_file_is_named(children: Any, folder: Path) -> None:
    (folder / "broken.gguf").write_bytes(b"<html>")
    async with provider_maker("tgllm_local.plugin", models=str(folder)) as make:
        provider = await make()
        checks = {check.name: check for check in await provider.doctor()}
        models = [model.id for model in await provider.list_models()]

    assert models == ["tiny"]
    assert checks["Local: broken"].state == "warning"
    assert "no GGUF file" in checks["Local: broken"].detail
    assert "MB of memory" in checks["Local: tiny"].detail


async def test_a_list_of_broken_files_is_an_error(children: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"<html>")
    async with provider_maker("tgllm_local.plugin", models=str(tmp_path)) as make:
        with pytest.raises(ModelNotFound, match="no GGUF file"):
            await (await make()).list_models()


async def test_a_model_that_needs_more_than_is_free_is_a_warning(
    children: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm_local.provider.free_memory", lambda: 2**20)
    async with provider_maker("tgllm_local.plugin", models=str(folder)) as make:
        (check,) = await (await make()).doctor()

    assert check.state == "warning"


async def test_a_new_file_is_found_without_a_restart(children: Any, folder: Path) -> None:
    async with provider_maker("tgllm_local.plugin", models=str(folder)) as make:
        provider = await make()
        (folder / "tiny.gguf").rename(folder / "other.gguf")
        assert [model.id for model in await provider.list_models()] == ["other"]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_error_has_its_text(language: str) -> None:
    assert TEXTS is not None
    texts = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))

    assert {f"local.{key}" for key in texts} == {error.code for error in ERRORS}
    for error in ERRORS:
        texts[error.code.removeprefix("local.")].format(**error.params)


def test_default_settings() -> None:
    assert Settings().threads is None
