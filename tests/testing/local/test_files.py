"""Which files of a folder count as those of a plugin."""

import os
from pathlib import Path

from cli_support import put
from tgllm.testing.local.files import is_own, stamps_of


def test_hidden_files_caches_and_environments_do_not_count(tmp_path: Path) -> None:
    counted = {"pyproject.toml", "src/tea/plugin.py", "src/tea/texts/en.toml", "environments/notes.py"}
    others = {
        ".git/index",
        ".venv/lib/site-packages/pydantic/main.py",
        "my-env/pyvenv.cfg",
        "my-env/lib/thing.py",
        "src/tea/__pycache__/plugin.cpython-311.pyc",
        "src/tea/.plugin.py.swp",
        "src/tea/plugin.py~",
        "src/tgllm_tea.egg-info/PKG-INFO",
        "build/lib/plugin.py",
        "node_modules/left.js",
    }
    put(tmp_path / "tests/test_tea.py", "")
    for name in counted | others:
        put(tmp_path / name, "")

    assert {str(file.relative_to(tmp_path)) for file in stamps_of(tmp_path)} == counted
    assert all(is_own(tmp_path / name, tmp_path) for name in counted)
    assert not is_own(tmp_path / ".venv/lib/site-packages/pydantic/main.py", tmp_path)
    assert not is_own(tmp_path / "my-env/lib/thing.py", tmp_path)
    assert not is_own(tmp_path.parent / "other.py", tmp_path)


def test_every_way_of_saving_a_file_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "plugin.py"
    put(file, "one")
    seen = [stamps_of(tmp_path)]

    def differs() -> bool:
        seen.append(stamps_of(tmp_path))
        return seen[-1] != seen[-2]

    assert not differs()
    put(file, "longer")
    assert differs()
    put(tmp_path / "plugin.py.new", "larger")
    time = file.stat().st_mtime_ns
    os.utime(tmp_path / "plugin.py.new", ns=(time, time))
    (tmp_path / "plugin.py.new").replace(file)
    assert differs()
    file.unlink()
    assert differs()
    assert stamps_of(file) == {}
