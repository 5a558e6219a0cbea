"""The example of the environment shows every setting, with the value that it has anyway."""

import re
from pathlib import Path

import pytest

import env_example
from tgllm.config.load import load_config
from tgllm.config.sources.keys import FIELDS, SPECIAL_VARIABLES, variable

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"


def test_it_is_up_to_date() -> None:
    assert EXAMPLE.read_text() == env_example.text(), "run `make generate`"


def test_every_setting_is_in_it_and_explained() -> None:
    explained = set(re.findall(r"^# .+\n#([A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE))

    assert {variable(key) for key in FIELDS} | SPECIAL_VARIABLES <= explained


def test_uncommented_it_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / ".env").write_text(re.sub(r"^#([A-Z0-9_]+=)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE))

    loaded = load_config(environ={}, cwd=tmp_path)

    assert loaded.config == load_config(environ={}, cwd=tmp_path / "empty").config
    assert loaded.sources["turns.attempts"].kind == "dotenv"


def test_every_variable_of_a_plugin_is_one_that_it_knows() -> None:
    readmes = "".join(path.read_text() for path in ROOT.glob("plugins/*/README.md"))

    assert all(f"`{name}`" in readmes for name in env_example.PLUGINS)
