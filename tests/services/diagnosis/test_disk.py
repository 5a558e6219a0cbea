"""Checks of the disk, the database file and the backups."""

import os
import shutil
from pathlib import Path

import pytest

from database_support import NOW
from tgllm.config.model import Config
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.file.known import mark_known
from tgllm.db.file.schema import prepare
from tgllm.i18n import Catalogue
from tgllm.services.backups.folder import stamped_name
from tgllm.services.diagnosis import disk
from tgllm.services.upgrade_check import check_database

TEXTS = Catalogue(strict=True)
DAY_MS = 86_400_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    prepare(tmp_path / "tgllm.db", NOW)
    return Config(data_dir=tmp_path)


def mounts(tmp_path: Path, *lines: tuple[str, str]) -> Path:
    text = "".join(f"36 35 98:0 / {point} rw,noatime shared:1 - {kind} /dev/x rw\n" for point, kind in lines)
    (tmp_path / "mountinfo").write_text(text)
    return tmp_path / "mountinfo"


def test_the_innermost_mount_counts(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    data.mkdir()
    escaped = str(data).replace(" ", "\\040")
    table = mounts(tmp_path, (escaped, "nfs4"), ("/", "ext4"), (f"{tmp_path}/other", "tmpfs"))

    assert disk.file_system(data, table) == "nfs4"
    assert disk.file_system(tmp_path, table) == "ext4"
    assert disk.file_system(tmp_path, tmp_path / "nowhere") == ""
    (tmp_path / "mountinfo").write_text("nonsense\n\n- \n")
    assert disk.file_system(tmp_path, table) == ""


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        ("ext4", "ok", "ext4"), ("nfs4", "warning", "move data_dir to a local disk"), ("cifs", "warning", "local disk"),
        ("tmpfs", "warning", "lost at the next restart"), ("overlay", "warning", "mount a volume"),
        ("", "ok", "unknown"),
    ],
)  # fmt: skip
def test_file_systems(config: Config, monkeypatch: pytest.MonkeyPatch, kind: str, state: str, told: str) -> None:
    monkeypatch.setattr(disk, "file_system", lambda _folder: kind)
    found = disk.check_disk(config, TEXTS)[1]

    assert (found.name, found.state) == ("File system", state)
    assert told in found.detail


def test_free_space_is_compared_with_the_settings(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: 150 * 2**20)
    assert disk.check_disk(config, TEXTS)[0].state == "warning"
    lower = config.model_copy(update={"files": config.files.model_copy(update={"keep_free_mb": 100.0})})
    assert disk.check_disk(lower, TEXTS)[0].state == "ok"


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path / "not" / "yet")

    assert [check.name for check in disk.check_disk(config, TEXTS)] == ["Disk", "File system"]
    assert disk.check_database_file(config, TEXTS) == ()
    assert disk.check_backups(config, 0, TEXTS) == ()
    assert not config.data_dir.exists()


def test_a_sound_database_and_a_damaged_one(config: Config) -> None:
    (found,) = disk.check_database_file(config, TEXTS)
    assert (found.name, found.state) == ("Database integrity", "ok")
    path = config.data_dir / "tgllm.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 9] = os.urandom(4096 * 6)
    path.write_bytes(content)
    (found,) = disk.check_database_file(config, TEXTS)

    assert found.state == "failed"


def test_a_large_database_is_not_read(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOST_CHECKED_BYTES", 1)
    (found,) = disk.check_database_file(config, TEXTS)

    assert "tgllm db check" in found.detail


def test_a_large_log_is_a_warning(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOST_LOG_BYTES", 3)
    (config.data_dir / "tgllm.db-wal").write_bytes(b"long")
    found = disk.check_database_file(config, TEXTS)[-1]

    assert (found.name, found.state) == ("Database log", "warning")
    assert "start the bot again" in found.detail


def test_the_age_of_backups(config: Config) -> None:
    now = NOW / 1000
    assert disk.check_backups(config, now, TEXTS) == ()
    mark_known(config.data_dir / "tgllm.db")
    (found,) = disk.check_backups(config, now, TEXTS)
    assert found.state == "warning"
    assert "tgllm db backup" in found.detail
    copy = config.data_dir / "tgllm.db.backup-x"
    copy.write_bytes(b"")
    for days, state in ((1, "ok"), (8, "warning")):
        os.utime(copy, (now - days * 86_400, now - days * 86_400))
        (found,) = disk.check_backups(config, now, TEXTS)
        assert found.state == state
        assert str(copy) in found.detail


@pytest.mark.parametrize("newest", ["named", "copy", "broken"])
def test_doctor_and_upgrade_judge_the_same_backup(config: Config, newest: str) -> None:
    path, folder, now = config.data_dir / "tgllm.db", config.backups_folder, NOW / 1000
    folder.mkdir(parents=True)
    named = folder / stamped_name(NOW - 3 * DAY_MS, ".sqlite")
    shutil.copyfile(path, named)
    # As after a restore of the folder: the time of the file says nothing.
    os.utime(named, (now, now))
    copy = config.data_dir / "tgllm.db.backup-x"
    copy.write_bytes(b"")
    days = 1 if newest == "copy" else 9
    os.utime(copy, (now - days * 86_400, now - days * 86_400))
    expected = copy if newest == "copy" else named
    if newest == "broken":
        expected = folder / stamped_name(NOW - DAY_MS)
        expected.write_bytes(b"broken")

    (doctor,) = disk.check_backups(config, now, TEXTS)
    upgrade = list(check_database(path, folder, now))[-1]

    assert str(expected) in doctor.detail
    assert str(expected) in upgrade.detail
    assert doctor.state == upgrade.state == ("warning" if newest == "broken" else "ok")


def test_a_running_bot_is_named(config: Config) -> None:
    assert "tgllm run" in disk.check_running(config, TEXTS)[0].detail
    with lock_data_folder(config.data_dir):
        assert "it runs" in disk.check_running(config, TEXTS)[0].detail
