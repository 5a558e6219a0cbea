"""The packages work in fresh environments: the core alone, and with each plugin alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLUGINS = ["anthropic", "dipseek", "gemini", "llm", "local", "mcp", "mistral", "openai", "web", "whisper"]
SDKS = {
    "anthropic",
    "faster-whisper",
    "google-genai",
    "llm",
    "mcp",
    "mistralai",
    "openai",
    "trafilatura",
    "xllamacpp",
}
OWN_SDK = {
    "anthropic": set[str](),
    "dipseek": set[str](),
    "gemini": {"google-genai"},
    "llm": {"llm", "openai"},
    "local": {"xllamacpp"},
    "mcp": {"mcp"},
    "mistral": {"mistralai"},
    "openai": set[str](),
    "web": {"trafilatura"},
    "whisper": {"faster-whisper"},
}

READERS = {"charset-normalizer", "lxml", "pillow", "pypdfium2", "python-calamine", "selectolax", "xlsxwriter"}
IMPORT_NEEDS = """
import importlib
from tgllm.plugins.builtin.files import plugin
handlers = plugin.tgllm_file_handlers(None)
for need in sorted({need for handler in handlers for need in handler.needs}):
    importlib.import_module(need)
print(*sorted(handler.id for handler in handlers))
"""

Install = Callable[..., Any]

pytestmark = pytest.mark.packaging


def test_the_core_stands_alone(core: Any) -> None:
    assert core.run("python", "-m", "pip", "check").stdout.startswith("No broken requirements")
    assert core.run("tgllm", "--version").stdout.strip().endswith("1.2.0")
    assert not {f"tgllm-{plugin}" for plugin in PLUGINS} & core.packages()
    assert not (SDKS | READERS | {"pytest", "python-telegram-bot", "ruff"}) & core.packages()


def test_the_extra_brings_what_reads_files(install: Install, wheels: dict[str, Path]) -> None:
    environment = install(f"{wheels['tgllm']}[files]")

    assert environment.packages() >= READERS
    assert not environment.packages() & (SDKS | {"pytest", "python-docx", "pypdf"})
    assert {"docx", "epub", "odf", "pdf", "sheets", "slides"} <= set(
        environment.run("python", "-c", IMPORT_NEEDS).stdout.split()
    )
    assert environment.run("python", "-m", "pip", "check").stdout.startswith("No broken requirements")


def test_the_core_lists_its_built_in_plugins_only(core: Any) -> None:
    listed = core.plugins()

    assert listed
    assert not set(PLUGINS) & set(listed)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_is_listed_and_brings_its_own_needs_only(
    plugin: str, install: Install, wheels: dict[str, Path]
) -> None:
    environment = install(wheels[f"tgllm_{plugin}"])

    listed = environment.plugins()
    assert listed[plugin]["package"] == f"tgllm-{plugin}"
    assert listed[plugin]["version"] == "1.0.0"
    assert set(PLUGINS) & set(listed) == {plugin}
    assert environment.packages() & SDKS <= OWN_SDK[plugin]
    assert environment.run("python", "-m", "pip", "check").stdout.startswith("No broken requirements")


def test_a_plugin_installs_from_its_folder(install: Install, tree: Path) -> None:
    environment = install(tree / "plugins" / "tgllm_mistral")

    packages = environment.packages()
    assert {"tgllm", "tgllm-mistral"} <= packages
    assert not {"tgllm-dipseek", "tgllm-gemini", "tgllm-local", "tgllm-openai", "tgllm-anthropic"} & packages
    assert packages & SDKS <= OWN_SDK["mistral"]


def test_type_checkers_read_the_types_of_the_installed_package(core: Any, tmp_path: Path) -> None:
    author = tmp_path / "author.py"
    author.write_text("from tgllm.api.context import PluginInfo\n\nPluginInfo(id=1, title='', api='1.0')\n")

    errors = check_types(core, author)

    assert [(error["range"]["start"]["line"], error["rule"]) for error in errors] == [(2, "reportArgumentType")]


def check_types(environment: Any, path: Path) -> list[Any]:
    """What pyright tells of a file, given the packages of an environment."""
    pyright = [Path(sys.executable).with_name("pyright"), "--outputjson"]
    command = [*pyright, "--pythonpath", environment.path / "bin" / "python", path]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False, timeout=120)
    return json.loads(done.stdout)["generalDiagnostics"]
