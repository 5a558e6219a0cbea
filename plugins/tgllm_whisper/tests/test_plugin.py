"""What the plugin offers and checks, and its texts."""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tgllm_whisper import errors, plugin
from tgllm_whisper.settings import Settings

TEXTS = plugin.tgllm_plugin_info().texts
ERRORS = [
    errors.no_whisper(),
    errors.bad_model("m", "r"),
    errors.not_downloaded("m", "r"),
    errors.downloading("m", 3),
    errors.not_loaded_in_time("m", 3, "load_seconds"),
    errors.no_memory("m", 2**30, 2**20),
    errors.killed("m"),
    errors.crashed("m", -11),
    errors.unreadable("no_sound"),
]


def ctx(**settings: object) -> Any:
    return SimpleNamespace(settings=Settings.model_validate(settings))


def test_its_names() -> None:
    context = ctx()
    info, (offer,) = plugin.tgllm_plugin_info(), plugin.tgllm_transcribers(context)

    assert (info.id, offer.id, offer.mime_types) == ("whisper", "whisper", {"audio/*", "video/*"})


async def test_a_shutdown_without_a_recording() -> None:
    context = ctx()
    plugin.tgllm_transcribers(context)

    await plugin.tgllm_shutdown(context)
    await plugin.tgllm_shutdown(context)


def test_without_faster_whisper_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "find_spec", lambda _name: None)

    (check,) = plugin.tgllm_doctor(ctx())

    assert (check.state, "pip install faster-whisper" in check.detail) == ("not configured", True)


def test_doctor_says_where_the_model_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path) -> None:
    monkeypatch.setattr(plugin, "find_spec", lambda _name: object())
    (model / "config.json").touch()
    found = {
        name: plugin.tgllm_doctor(ctx(model=name))[0]
        for name in ("base", str(model), str(tmp_path), str(tmp_path / "nothing"))
    }

    assert [check.state for check in found.values()] == ["ok", "ok", "failed", "failed"]
    details = [check.detail for check in found.values()]
    assert "downloaded for the first recording" in details[0]
    assert "model.bin is missing" in details[2]
    assert "there is no folder" in details[3]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_error_has_its_text(language: str) -> None:
    assert TEXTS is not None
    texts = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))

    assert {f"whisper.{key}" for key in texts} == {error.code for error in ERRORS}
    for error in ERRORS:
        texts[error.code.removeprefix("whisper.")].format(**{"name": "a.ogg", **error.params})


@pytest.mark.parametrize(
    "wrong", [{"model": ""}, {"language": "german"}, {"compute_type": "int4"}, {"modell": "base"}, {"threads": 0}]
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings.model_validate(wrong)
