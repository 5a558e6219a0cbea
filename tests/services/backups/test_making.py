"""A backup that is killed while it is made leaves nothing that looks like one, and the next one clears up."""

import shutil
from pathlib import Path

import pytest

from backup_support import Data
from database_support import NOW, names
from kill_support import run_in_child
from tgllm.services.backups.folder import backup_into, list_backups
from tgllm.services.backups.making import Order
from tgllm.services.backups.reading import read_archive

OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect", "fcntl.flock"}
EVERY = 3
"""Each third operation of a backup is one at which it is killed."""
LATER = 60_000


def backed_up_in_child(data: Data, now: int, die_at: int) -> int:
    """Make a backup in a child that is killed at its n-th operation; return the number of them, or -1."""
    order = Order(data.database, data.folder, data.folder, now)
    return run_in_child(lambda: backup_into(order, data.folder / "backups", 1), die_at, OPERATIONS)


def copied(data: Data, folder: Path) -> Data:
    shutil.copytree(data.folder, folder)
    return Data(folder, dict(data.blobs))


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_kill_at_any_moment_leaves_whole_backups_only(data: Data, tmp_path: Path) -> None:
    order = Order(data.database, data.folder, data.folder, NOW)
    before = backup_into(order, data.folder / "backups", 1).path.name
    steps = backed_up_in_child(copied(data, tmp_path / "whole"), NOW + LATER, -1)
    assert steps > 20

    kept: list[int] = []
    for number in range(1, steps + 1, EVERY):
        killed = copied(data, tmp_path / f"killed-{number}")
        folder = killed.folder / "backups"
        assert backed_up_in_child(killed, NOW + LATER, number) == -1

        listed = list_backups(folder)
        kept.append(len(listed))
        assert [each.problem for each in listed] == [None] * len(listed)
        assert all(read_archive(each.path).files == 2 for each in listed)
        # The one from before goes only when there is a newer one.
        assert kept[-1] > 1 or before in names(folder) or number > steps - EVERY
        assert killed.noted() == "old"
        assert killed.has_files(data.blobs)

        made = backup_into(Order(killed.database, killed.folder, killed.folder, NOW + 2 * LATER), folder, 1)
        assert names(folder) == [made.path.name]
    # The new one has its name near the end.
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (1, 2)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", ["mine.tar", "mine.tar.gz", "mine.db"])
def test_a_kill_does_not_keep_the_same_name_from_being_written_again(data: Data, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    steps = run_in_child(lambda: data.backup(tmp_path / name), -1, OPERATIONS)
    assert steps > 20
    for number in range(2, steps, steps // 8):
        assert run_in_child(lambda: data.backup(folder / name), number, OPERATIONS) == -1
        (folder / name).unlink(missing_ok=True)
        data.backup(folder / name)
        assert names(folder) == [name]
        (folder / name).unlink()
