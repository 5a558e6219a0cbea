"""Hooks of the plugin, which load nothing of llm."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tgllm_llm.plugin import tgllm_doctor, tgllm_providers
from tgllm_llm.settings import Settings

PROBE = """
import sys
from tgllm_llm.plugin import *
from tgllm_llm.settings import Settings
from types import SimpleNamespace
assert tgllm_plugin_info().id == "llm"
assert tgllm_providers()
assert tgllm_doctor(SimpleNamespace(settings=Settings()))
print(*({"llm", "openai", "sqlite_utils", "llm_echo"} & sys.modules.keys()))
"""


def check(**settings: Any) -> str:
    (found,) = tgllm_doctor(cast("Any", SimpleNamespace(settings=Settings(**settings))))
    return f"{found.state}: {found.detail}"


def test_the_hooks_load_nothing_of_llm() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_the_doctor_lists_the_plugins_of_llm(tmp_path: Path) -> None:
    assert "llm-echo" in check()
    assert check(user_path=str(tmp_path)).startswith("ok: llm 0.")
    assert check(user_path=str(tmp_path / "none")).startswith("failed: user_path: there is no folder")
    assert [spec.id for spec in tgllm_providers()] == ["llm"]


def test_no_key_is_shown() -> None:
    settings = Settings(keys={"a": "sk-0123456789"}, models="a*, b !c")  # type: ignore[arg-type]  # as the environment has them
    assert "sk-0123456789" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.models == ("a*", "b", "!c")
