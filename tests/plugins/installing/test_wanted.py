"""Packages are named as pip takes them; tgllm itself, options and what is not there are refused."""

from pathlib import Path

import pytest

from plugin_support import write_wheel
from tgllm.api.errors import PluginError
from tgllm.plugins.installing.wanted import read_wanted


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tgllm-weather", "tgllm-weather"),
        ("Tgllm_Weather==1.2", "tgllm-weather"),
        ("tgllm-weather[maps]>=1,<2", "tgllm-weather"),
        ("https://example.org/tgllm_weather-1.0-py3-none-any.whl", "tgllm-weather"),
        ("https://example.org/tgllm_weather-1.0-py3-none-any.whl#sha256=0", "tgllm-weather"),
        ("git+https://example.org/weather", None),
        ("tgllm-weather @ https://example.org/weather.zip", "tgllm-weather"),
    ],
)
def test_names_and_addresses(text: str, name: str | None) -> None:
    wanted = read_wanted(text)

    assert (wanted.text, wanted.name) == (text, name)


def test_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = write_wheel(tmp_path, "tgllm-weather", "1.0")
    folder = tmp_path / "my_plugin"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "tgllm-own"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert (read_wanted(wheel.name).text, read_wanted(wheel.name).name) == (str(wheel), "tgllm-weather")
    assert (read_wanted("./my_plugin").text, read_wanted("./my_plugin").name) == (str(folder), "tgllm-own")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tgllm", "tgllm itself is no plugin"),
        ("Tgllm==2.0", "tgllm itself is no plugin"),
        ("https://example.org/tgllm-2.0-py3-none-any.whl", "tgllm itself is no plugin"),
        ("--index-url=https://example.org", "names no package"),
        ("", "names no package"),
        ("two words", "names no package"),
        ("./not-there", "there is no ./not-there"),
        ("not_there.whl", "there is no not_there.whl"),
        (".", "it has no pyproject.toml"),
    ],
)
def test_what_can_not_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(PluginError, match=reason):
        read_wanted(text)
