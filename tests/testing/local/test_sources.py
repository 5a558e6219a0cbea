"""Where the plugin of a path is, and what is said about a path that has none."""

from pathlib import Path

import pytest

from cli_support import put
from tgllm.api.errors import ConfigError
from tgllm.testing.local.sources import read_source

POINT = '[project.entry-points.tgllm]\ntea = "{}"\n'
INFO = "from tgllm.api import PluginInfo\n"


def project(folder: Path, value: str = "tgllm_tea.plugin", **about: str) -> None:
    head = "".join(f'{name} = "{text}"\n' for name, text in about.items())
    put(folder / "pyproject.toml", f"[project]\n{head}{POINT.format(value)}")


@pytest.mark.parametrize("root", ["src", ".", "python"])
@pytest.mark.parametrize("module", ["tgllm_tea/__init__.py", "tgllm_tea.py"])
def test_a_project_with_its_modules_in_any_usual_folder(tmp_path: Path, root: str, module: str) -> None:
    project(tmp_path, name="tgllm-tea", version="1.2", description="Brews tea.")
    put(tmp_path / root / module, "")

    source = read_source(tmp_path)

    assert (source.watched, source.root) == (tmp_path, tmp_path / root)
    (found,) = source.found
    assert (found.id, found.package, found.version, found.value, found.summary, found.builtin) == (
        "tea", "tgllm-tea", "1.2", "tgllm_tea.plugin", "Brews tea.", False,
    )  # fmt: skip


def test_a_project_with_several_plugins(tmp_path: Path) -> None:
    put(tmp_path / "pyproject.toml", f'[project]\n{POINT.format("two:tea")}cake = "two:cake"\n')
    put(tmp_path / "two.py", "")

    assert {found.id: found.value for found in read_source(tmp_path).found} == {"tea": "two:tea", "cake": "two:cake"}


@pytest.mark.parametrize(
    "declared",
    [
        'PluginInfo(id="tea", title="Tea", api="1.1")',
        'PluginInfo("tea", "Tea", "1.1")',
        'api.PluginInfo(title="Tea", api="1.1", id="tea")',
        'ID = "tea"\n\ndef tgllm_plugin_info():\n    return PluginInfo(ID, "Tea", "1.1")',
    ],
)
def test_the_id_of_a_module_is_what_it_declares(tmp_path: Path, declared: str) -> None:
    put(tmp_path / "brewing.py", f"{INFO}{declared}\n")

    source = read_source(tmp_path / "brewing.py")

    assert (source.watched, source.root) == (tmp_path / "brewing.py", tmp_path)
    assert [(found.id, found.value) for found in source.found] == [("tea", "brewing")]


@pytest.mark.parametrize("code", ["def broken(:\n", "", "PluginInfo(make_id(), 'Tea', '1.1')", "PluginInfo(**about)"])
def test_a_module_that_does_not_show_its_id_has_that_of_its_name(tmp_path: Path, code: str) -> None:
    put(tmp_path / "tgllm_tea.py", code)

    assert read_source(tmp_path / "tgllm_tea.py").found[0].id == "tea"


@pytest.mark.parametrize(("name", "value"), [("", "pots.tea.plugin"), ("plugin.py", "pots.tea.plugin")])
def test_a_package_or_a_module_in_one(tmp_path: Path, name: str, value: str) -> None:
    put(tmp_path / "pots" / "__init__.py", "")
    put(tmp_path / "pots" / "tea" / "__init__.py", "")
    put(tmp_path / "pots" / "tea" / "plugin.py", "")

    source = read_source(tmp_path / "pots" / "tea" / name)

    assert source.root == tmp_path
    assert source.found[0].value == value


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "tea")
    put(tmp_path / "tea.py", "")
    monkeypatch.chdir(tmp_path)

    assert read_source(Path()).root == tmp_path


@pytest.mark.parametrize(
    ("files", "path", "reason"),
    [
        ({}, "none", "there is no none: name the folder of a plugin"),
        ({"empty/notes.txt": ""}, "empty", "it has no pyproject.toml"),
        ({"notes.txt": ""}, "notes.txt", "name a folder with a pyproject.toml, or a file with a Python module"),
        ({"tea/pyproject.toml": "[project"}, "tea", "pyproject.toml can't be read: Expected"),
        (
            {"tea/pyproject.toml": "[project]\nname = 'x'\n"},
            "tea",
            "declares no plugin: add [project.entry-points.tgllm]",
        ),
        ({"tea/pyproject.toml": "[project.entry-points]\ntgllm = 5\n"}, "tea", "declares no plugin"),
        ({"tea/pyproject.toml": POINT.format("tgllm_tea")}, "tea", "names the module tgllm_tea, which is neither in"),
    ],
)
def test_a_path_without_a_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], path: str, reason: str
) -> None:
    for name, text in files.items():
        put(tmp_path / name, text)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError) as raised:
        read_source(Path(path))

    assert reason in str(raised.value)
