"""Files of plugins are in backups, and are restored with the database that they belong to."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from backup_support import Data
from database_support import names
from kill_support import run_in_child
from tgllm.db.engine.errors import RestoreRefused
from tgllm.services.backups.plugin_files import is_plugin_file, plugin_files
from tgllm.services.backups.restoring import finish_if_readable
from tgllm.services.backups.staging import drop_staged

OLD = {"weather/cities.json": b"old", "weather/maps/paris.bin": b"\0" * 3000, "notes/\u00e9 b.txt": b""}
NEW = {"weather/cities.json": b"new", "weather/later.txt": b"later"}
LEFT_OUT = {"local/models/big.gguf": b"model", "weather/cache/tile": b"tile", "notes/tiles/CACHEDIR.TAG": b"Signature"}
OPERATIONS = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "sqlite3.connect", "shutil.rmtree"}
EVERY = 3
"""Each third operation of a restore is one at which it is killed."""


@pytest.fixture
def data(data: Data) -> Data:
    for name, content in {**OLD, **LEFT_OUT}.items():
        data.add_plugin_file(name, content)
    return data


def changed(data: Data) -> None:
    """Go on after a backup: files are changed, added and removed."""
    for name in OLD:
        (data.folder / "plugins" / name).unlink()
    for name, content in NEW.items():
        data.add_plugin_file(name, content)
    data.note("new")


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_they_are_restored_on_another_machine(data: Data, other: Data, tmp_path: Path, name: str) -> None:
    other.restore(data.backup(tmp_path / name).path)

    assert other.plugin_files() == OLD
    assert names(other.folder / "plugins") == ["notes", "weather"]


def test_those_from_before_are_kept_and_come_back(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    changed(data)
    restored = data.restore(made.path)
    assert data.plugin_files() == {**OLD, **LEFT_OUT}
    assert restored.aside is not None

    data.restore(restored.aside)

    assert data.plugin_files() == {**NEW, **LEFT_OUT}
    assert data.noted() == "new"


def test_a_backup_without_files_leaves_them_as_they_are(data: Data, tmp_path: Path) -> None:
    made = [data.backup(tmp_path / "b.tar", with_files=False), data.backup(tmp_path / "b.db")]
    changed(data)
    for each in made:
        data.restore(each.path)

        assert data.plugin_files() == {**NEW, **LEFT_OUT}


def test_links_and_what_is_no_file_are_left_out(data: Data, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (data.folder / "plugins/weather/link").symlink_to(outside / "secret")
    (data.folder / "plugins/weather/folder").symlink_to(outside)
    (data.folder / "plugins/Not a plugin").mkdir()
    (data.folder / "plugins/Not a plugin/x").touch()
    (data.folder / "plugins/stray").touch()

    assert {name.removeprefix("plugins/") for name in plugin_files(data.folder)} == OLD.keys()


@pytest.mark.parametrize(
    "name",
    [
        "plugins/weather",
        "plugins/weather/",
        "plugins/weather/../../tgllm.db",
        "plugins/../files/x",
        "plugins/weather/./x",
        "plugins//x/y",
        "/plugins/weather/x",
        "plugins/Weather/x",
        "plugins/weather/a\0b",
        "plugins/weather/\udcff",
        "plugins/weather/" + "a/" * 30 + "b",
        "plugins/weather/" + "a" * 300,
    ],
)
def test_a_name_that_leads_elsewhere_is_none(name: str) -> None:
    assert not is_plugin_file(name)


def test_an_archive_with_such_a_name_is_refused(data: Data, other: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    with tarfile.open(made.path) as source, tarfile.open(tmp_path / "evil.tar", "w") as target:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            if member.name == "plugins/weather/cities.json":
                member.name = "plugins/weather/../../../evil"
            target.addfile(member, io.BytesIO(content.read()))
    with pytest.raises(RestoreRefused, match="evil"):
        other.restore(tmp_path / "evil.tar")

    assert list(tmp_path.rglob("evil")) == []
    assert [name for name in other.names() if name.startswith(("plugins", "tgllm.db"))] == []


def test_a_folder_in_the_place_of_a_file_gives_way(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    (data.folder / "plugins/weather/cities.json").unlink()
    data.add_plugin_file("weather/cities.json/paris", b"a folder now")
    data.restore(made.path)

    assert data.plugin_files() == {**OLD, **LEFT_OUT}


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_kill_at_any_moment_leaves_all_old_files_or_all_new_ones(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    changed(data)
    whole = copied(data, tmp_path / "whole")
    steps = run_in_child(lambda: whole.restore(made.path), -1, OPERATIONS)
    notes: list[object] = []
    for number in range(1, steps + 1, EVERY):
        killed = copied(data, tmp_path / f"killed-{number}")
        assert run_in_child(lambda it=killed: it.restore(made.path), number, OPERATIONS) == -1
        # What the start of the bot does.
        finish_if_readable(killed.database)
        drop_staged(killed.database)
        notes.append(killed.noted())
        assert killed.plugin_files() == {**(OLD if notes[-1] == "old" else NEW), **LEFT_OUT}
        assert [name for name in killed.names() if name.startswith("plugins")] == ["plugins"]
    assert (notes[0], notes[-1]) == ("new", "old")


def copied(data: Data, folder: Path) -> Data:
    shutil.copytree(data.folder, folder)
    return Data(folder, dict(data.blobs))
