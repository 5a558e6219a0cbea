"""What the wheels hold."""

import re
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

PLUGINS = [
    "tgllm_anthropic",
    "tgllm_dipseek",
    "tgllm_gemini",
    "tgllm_llm",
    "tgllm_local",
    "tgllm_mcp",
    "tgllm_mistral",
    "tgllm_openai",
    "tgllm_web",
    "tgllm_whisper",
]
PACKAGES = ["tgllm", *PLUGINS]

pytestmark = pytest.mark.packaging


def source_of(package: str, tree: Path) -> Path:
    """The folder that holds a package's source."""
    return tree / ("src" if package == "tgllm" else f"plugins/{package}/src") / package


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_holds_all_of_its_source(package: str, tree: Path, files: dict[str, set[str]]) -> None:
    source = source_of(package, tree)
    sources = {
        f"{package}/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert sources == {name for name in files[package] if name.startswith(f"{package}/")}
    assert f"{package}/py.typed" in sources


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_holds_nothing_but_its_package_and_its_metadata(package: str, files: dict[str, set[str]]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in files[package]} == {package}
    assert any(name.endswith("licenses/LICENSE") for name in files[package])


def test_the_wheel_of_the_core_holds_the_files_that_are_no_code(files: dict[str, set[str]]) -> None:
    assert "tgllm/db/models.sql" in files["tgllm"]
    assert [name for name in files["tgllm"] if name.startswith("tgllm/testing/") and name.endswith(".html")]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_metadata_agree_with_the_package(package: str, tree: Path, wheels: dict[str, Path]) -> None:
    metadata = read_metadata(wheels[package])
    code = (source_of(package, tree) / "__init__.py").read_text()

    assert metadata["Name"].replace("-", "_") == package
    assert f'__version__ = "{metadata["Version"]}"' in code
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_payload(), "the README is the description"


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_names_its_entry_point_and_the_core(package: str, tree: Path, wheels: dict[str, Path]) -> None:
    project = tomllib.loads((tree / "plugins" / package / "pyproject.toml").read_text())["project"]
    plugin_id = package.removeprefix("tgllm_")
    requirements = read_metadata(wheels[package]).get_all("Requires-Dist") or []

    assert project["entry-points"]["tgllm"] == {plugin_id: f"{package}.plugin"}
    assert set(project["entry-points"]) <= {"tgllm", "tgllm.cli"}
    code = (source_of(package, tree) / "plugin.py").read_text()
    (api,) = re.findall(r'api="([\d.]+)"', code)
    # Version 1.x of tgllm is the first with version 1.x of the plugin API.
    assert [name for name in requirements if name.startswith("tgllm")] == [f"tgllm<2,>={api}"]


def read_metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))
