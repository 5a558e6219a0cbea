"""A backup is restored whole or not at all, and the data from before are kept."""

import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backup_support import Data
from database_support import NOW
from kill_support import run_in_child
from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew, DataFolderBusy, RestoreRefused
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.check import check
from tgllm.db.file.schema import prepare
from tgllm.services.backups import making, reading
from tgllm.services.backups.folder import list_backups


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz", "b.tgz", "no-ending"])
def test_a_backup_is_restored_on_another_machine(data: Data, other: Data, tmp_path: Path, name: str) -> None:
    made = data.backup(tmp_path / name)
    restored = other.restore(made.path)

    assert (made.files, made.left_out, made.path.stat().st_mode & 0o777) == (2, 0, 0o600)
    assert (restored.files, restored.missing, restored.aside, restored.is_older) == (2, 0, None, False)
    assert other.noted() == "old"
    assert other.has_files(data.blobs)
    assert other.names() == ["files", "tgllm.db"]
    assert {path.stat().st_mode & 0o777 for path in (other.folder / "files").iterdir()} == {0o600}
    prepare(other.database, NOW)
    assert check(other.database).problems == ()


def test_the_data_from_before_are_kept_and_come_back(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    data.note("new")
    data.add_file(b"later")
    later = dict(data.blobs)
    restored = data.restore(made.path)
    assert restored.aside is not None
    assert data.noted() == "old"
    # As the bot does with files without a row, a day later.
    shutil.rmtree(data.folder / "files")

    data.restore(restored.aside)
    assert data.noted() == "new"
    assert data.has_files(later)


def test_a_copy_of_the_database_alone_uses_the_files_that_are_there(data: Data, other: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "copy.db")
    assert (made.files, made.left_out) == (0, 2)
    data.note("new")

    assert data.restore(made.path).missing == 0
    assert data.noted() == "old"
    assert other.restore(made.path).missing == 2


def test_without_files_an_archive_is_as_a_copy(data: Data, other: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar", with_files=False)
    assert (made.files, made.left_out, other.restore(made.path).missing) == (0, 2, 2)


def test_a_file_that_is_deleted_meanwhile_is_left_out(data: Data, other: Data, tmp_path: Path) -> None:
    data.add_file(b"gone").unlink()
    made = data.backup(tmp_path / "b.tar")
    assert (made.files, made.missing, other.restore(made.path).missing) == (2, 1, 1)


def test_a_file_that_arrives_during_the_backup_does_no_harm(
    data: Data, other: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = making.write_archive

    def arriving(*args: Any, **kwargs: Any) -> object:
        data.add_file(b"during")
        return real(*args, **kwargs)

    monkeypatch.setattr(making, "write_archive", arriving)
    made = data.backup(tmp_path / "b.tar")
    assert (made.files, other.restore(made.path).missing) == (2, 0)


def test_a_folder_that_was_copied_with_its_log_is_a_backup_too(data: Data, other: Data, tmp_path: Path) -> None:
    with closing(connect(data.database)) as conn:
        conn.execute("UPDATE kv SET value = '\"in the log\"' WHERE scope = 'test'")
        shutil.copytree(data.folder, tmp_path / "copied")
    other.restore(tmp_path / "copied")
    assert other.noted() == "in the log"
    assert other.has_files(data.blobs)


def test_it_is_refused_while_the_bot_runs(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    data.note("new")
    with lock_data_folder(data.folder), pytest.raises(DataFolderBusy):
        data.restore(made.path)
    assert data.noted() == "new"


def test_a_backup_of_another_bot_is_restored_only_on_purpose(data: Data, tmp_path: Path) -> None:
    foreign = Data(tmp_path / "foreign").begin(bot_id=7)
    made = foreign.backup(tmp_path / "b.tar")
    for options in ({}, {"bot_id": 42}):
        with pytest.raises(RestoreRefused, match="another bot, @bot_7"):
            data.restore(made.path, **options)
    assert data.noted() == "old"
    data.restore(made.path, other_bot=True)
    assert data.noted() is None


def test_a_backup_of_a_newer_version_is_refused(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "copy.db")
    with closing(sqlite3.connect(made.path)) as conn:
        conn.execute("PRAGMA user_version = 999")
    with pytest.raises(DatabaseTooNew):
        data.restore(made.path)


def test_an_old_log_is_never_applied_to_the_restored_database(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    with closing(connect(data.database)) as conn:
        conn.execute("UPDATE kv SET value = '\"in the log\"' WHERE scope = 'test'")
        for end in ("", "-wal"):
            shutil.copy(f"{data.database}{end}", f"{data.database}{end}.left")
    for end in ("", "-wal"):
        Path(f"{data.database}{end}.left").replace(f"{data.database}{end}")
    restored = data.restore(made.path)
    assert data.noted() == "old"
    assert restored.aside is not None
    assert Data(restored.aside).noted() == "in the log"


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, None])
def test_a_damaged_database_is_replaced_and_kept(data: Data, tmp_path: Path, content: bytes | None) -> None:
    made = data.backup(tmp_path / "b.tar")
    if content is None:
        raw = bytearray(data.database.read_bytes())
        raw[4096:] = b"\xff" * (len(raw) - 4096)
        content = bytes(raw)
    data.database.write_bytes(content)
    data.database.with_name("tgllm.db-wal").write_bytes(b"stray")
    restored = data.restore(made.path)
    assert data.noted() == "old"
    assert restored.aside is not None
    assert (restored.aside / "tgllm.db").read_bytes()[:4096] == content[:4096]


def test_another_process_that_has_the_database_open_stops_it(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = data.backup(tmp_path / "b.tar")
    data.note("new")
    monkeypatch.setattr("tgllm.db.engine.sqlite.BUSY_TIMEOUT", 0.1)
    with closing(connect(data.database)) as conn:
        conn.execute("BEGIN")
        conn.execute("SELECT * FROM kv").fetchone()
        with pytest.raises(DatabaseError, match="stayed locked"):
            data.restore(made.path)
    assert data.noted() == "new"
    assert not data.database.with_name("tgllm.db.restoring").exists()


def test_the_database_of_another_program_is_refused(data: Data, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as conn:
        conn.execute("CREATE TABLE t (x)")
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("no database " * 1000)
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        archive.add(tmp_path / "text.db", "tgllm.db")
    for name in ("other.db", "empty.db", "folder", "text.db", "photos.tar", "nowhere"):
        with pytest.raises(DatabaseError, match=name):
            data.restore(tmp_path / name)
    assert data.noted() == "old"


def altered(
    source: Path, target: Path, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]
) -> Path:
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            stream = old.extractfile(member)
            for info, content in change(member, stream.read() if stream else b""):
                new.addfile(info, io.BytesIO(content))
    return target


GOOD_LABEL = {
    "made_at": 1,
    "program": "1.0.0",
    "schema": 1,
    "bot_id": None,
    "username": None,
    "database_bytes": 1,
    "files": 0,
    "file_bytes": 0,
    "with_files": True,
    "format": 1,
}


def extra(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b""


def assert_refused_with(data: Data, folder: Path, member: tuple[tarfile.TarInfo, bytes]) -> None:
    """Put the member into a backup, before its list of contents: the restore is refused and changes nothing."""
    made = data.backup(folder / "b.tar")
    before = data.names()
    evil = altered(
        made.path,
        folder / "evil.tar",
        lambda info, content: [member, (info, content)] if info.name == "contents.json" else [(info, content)],
    )
    with pytest.raises(RestoreRefused):
        data.restore(evil)
    assert data.names() == before


@pytest.mark.parametrize(
    "member",
    [
        extra("../evil"),
        extra("/etc/evil"),
        extra("files/../../evil"),
        extra(f"files/{'a' * 32}", tarfile.SYMTYPE, "/etc/passwd"),
        extra(f"files/{'a' * 32}", tarfile.LNKTYPE, "tgllm.db"),
        extra("files", tarfile.DIRTYPE),
        extra(f"files/{'a' * 32}.part"),
        extra(f"files/{'a' * 32}", tarfile.FIFOTYPE),
        extra("tgllm.db"),
        extra("config.toml"),
    ],
    ids=lambda member: f"{member[0].name}-{member[0].type!r}",
)
def test_an_archive_with_anything_else_in_it_is_refused(
    data: Data, tmp_path: Path, member: tuple[tarfile.TarInfo, bytes]
) -> None:
    assert_refused_with(data, tmp_path, member)
    assert not (tmp_path / "evil").exists()
    assert not list((data.folder / "files").glob("*.part"))


def pax(name: str, **headers: str) -> tuple[tarfile.TarInfo, bytes]:
    info, content = extra(name)
    info.pax_headers = {key.replace("_", "."): value for key, value in headers.items()}
    return info, content


@pytest.mark.parametrize(
    "member",
    [
        pax("files/" + "a" * 32, GNU_sparse_size="9" * 18, GNU_sparse_map="0,0"),
        pax("files/" + "a" * 32, GNU_sparse_map="no number"),
        pax("files/" + "a" * 32, size="9" * 18),
    ],
    ids=["sparse", "no number", "size"],
)
def test_a_file_of_a_few_bytes_unpacks_to_no_more(
    data: Data, tmp_path: Path, member: tuple[tarfile.TarInfo, bytes]
) -> None:
    assert_refused_with(data, tmp_path, member)


def test_an_archive_that_unpacks_to_much_more_than_it_says_is_refused_before_it_does(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = data.backup(tmp_path / "b.tar")
    monkeypatch.setattr(reading, "_GROWTH", 2**20)
    bomb = tmp_path / "bomb.tar.gz"
    with tarfile.open(made.path) as old, tarfile.open(bomb, "w:gz") as new:
        for member in old:
            stream = old.extractfile(member)
            content = stream.read() if stream else b""
            if member.name == "tgllm.db":
                content = content * 2 + bytes(2**22)
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    before = data.names()
    written = list[int]()
    with pytest.raises(RestoreRefused, match="much more than it says"):
        reading.read_archive(bomb, lambda _name, size, _pieces: written.append(size))
    assert written == []
    with pytest.raises(RestoreRefused, match="much more than it says"):
        data.restore(bomb)
    assert data.names() == before


@pytest.mark.parametrize(
    "label",
    [
        b"[" * 200_000,
        b"{}",
        b"[]",
        b"\xff",
        b'{"format": ' + b"9" * 5000 + b"}",
        *(
            json.dumps({**GOOD_LABEL, name: value}).encode()
            for name, value in [
                ("program", []),
                ("username", {}),
                ("made_at", 10**30),
                ("made_at", -1),
                ("database_bytes", -(10**18)),
                ("file_bytes", True),
                ("bot_id", "1"),
                ("with_files", 1),
            ]
        ),
    ],
)
def test_a_label_that_no_program_wrote_is_refused(data: Data, tmp_path: Path, label: bytes) -> None:
    info = tarfile.TarInfo("tgllm-backup.json")
    info.size = len(label)
    # With a name of its own the folder of backups lists it.
    odd = tmp_path / "20260921T141320.000Z.tar"
    with tarfile.open(odd, "w") as archive:
        archive.addfile(info, io.BytesIO(label))
    with pytest.raises(RestoreRefused):
        data.restore(odd)
    (listed,) = list_backups(tmp_path)
    assert listed.problem is not None


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_file_is_refused_without_reading_it(data: Data, tmp_path: Path, kind: str) -> None:
    source = tmp_path / "fifo" if kind == "fifo" else Path("/dev/zero")
    if kind == "fifo":
        os.mkfifo(source)
    with pytest.raises(RestoreRefused, match="neither a file nor a folder"):
        data.restore(source)
    assert data.noted() == "old"


def test_a_link_in_a_folder_is_not_followed(data: Data, other: Data, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of another place")
    (data.folder / "files" / ("a" * 32)).symlink_to(secret)
    other.restore(data.folder)
    assert not (other.folder / "files" / ("a" * 32)).exists()


@pytest.mark.parametrize(
    "second", ["plugins/a/b/c", "plugins/a/" + "/".join(["d" * 250] * 17)], ids=["below a file", "too long"]
)
def test_names_that_no_disk_can_hold_are_refused(data: Data, tmp_path: Path, second: str) -> None:
    made = data.backup(tmp_path / "b.tar")
    before = data.names()
    evil = altered(
        made.path,
        tmp_path / "evil.tar",
        lambda info, content: (
            [extra("plugins/a/b"), extra(second), (info, content)]
            if info.name == "contents.json"
            else [(info, content)]
        ),
    )
    with pytest.raises(RestoreRefused, match=r"evil\.tar.*plugins/a/"):
        data.restore(evil)
    assert data.names() == before


@pytest.mark.parametrize("left_out", ["tgllm-backup.json", "tgllm.db", "contents.json", "files/"])
def test_an_archive_without_a_part_is_refused(data: Data, tmp_path: Path, left_out: str) -> None:
    made = data.backup(tmp_path / "b.tar")
    partial = altered(
        made.path,
        tmp_path / "partial.tar",
        lambda info, content: [] if info.name.startswith(left_out) else [(info, content)],
    )
    with pytest.raises(RestoreRefused):
        data.restore(partial)
    assert data.noted() == "old"


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz", "copy.db"])
def test_a_truncated_backup_is_refused(data: Data, tmp_path: Path, name: str) -> None:
    made = data.backup(tmp_path / name)
    data.note("new")
    # Behind the end of a tar file are only zeros, behind that of gzip its checksum; a copy alone has whole pages.
    size = made.path.stat().st_size - {"b.tar": 11_000, "b.tar.gz": 40, "copy.db": 5000}[name]
    for cut in [*range(0, size, size // 7), size]:
        os.truncate(shutil.copy(made.path, tmp_path / "cut"), cut)
        with pytest.raises(DatabaseError):
            data.restore(tmp_path / "cut")
        assert data.noted() == "new"


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_a_flipped_bit_is_noticed_or_harmless(data: Data, other: Data, tmp_path: Path, name: str) -> None:
    made = data.backup(tmp_path / name)
    content = made.path.read_bytes()
    refused = 0
    for at in range(7, len(content), len(content) // 25):
        flipped = bytearray(content)
        flipped[at] ^= 0x10
        (tmp_path / "flipped").write_bytes(flipped)
        try:
            other.restore(tmp_path / "flipped")
        except RestoreRefused:
            refused += 1
        else:
            # Padding between the members.
            assert other.noted() == "old"
            assert other.has_files(data.blobs)
    assert refused > 15


def test_a_full_disk_changes_nothing(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    data.note("new")
    with pytest.raises(DatabaseError, match="Nothing was changed") as caught:
        data.restore(made.path, free=lambda _: 1000)
    assert caught.value.code == "database_full"
    with pytest.raises(DatabaseError, match="too full"):
        data.backup(tmp_path / "c.tar", free=lambda _: 1000)
    assert not (tmp_path / "c.tar").exists()
    assert data.noted() == "new"


def test_a_disk_that_fills_up_while_it_unpacks_changes_nothing(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = data.backup(tmp_path / "b.tar")
    before = data.names()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tgllm.services.backups.staging.os.fsync", full)
    with pytest.raises(DatabaseError) as caught:
        data.restore(made.path)
    monkeypatch.undo()
    assert caught.value.code == "database_full"
    assert data.names() == before


EVERY = 3
"""Each third operation of a restore is one at which it is killed."""


def restore_in_child(data: Data, source: Path, die_at: int) -> int:
    """Restore in a child that is killed at its n-th operation; return the number of them, or -1."""
    operations = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "sqlite3.connect"}
    return run_in_child(lambda: data.restore(source), die_at, operations)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_kill_at_any_moment_leaves_the_old_data_or_the_new(data: Data, tmp_path: Path) -> None:
    made = data.backup(tmp_path / "b.tar")
    old = dict(data.blobs)
    data.note("new")
    data.add_file(b"later")
    whole = Data(tmp_path / "whole")
    shutil.copytree(data.folder, whole.folder)
    steps = restore_in_child(whole, made.path, -1)
    assert steps > 20
    found: list[object] = []
    for number in range(1, steps + 1, EVERY):
        killed = Data(tmp_path / f"killed-{number}")
        shutil.copytree(data.folder, killed.folder)
        assert restore_in_child(killed, made.path, number) == -1
        prepare(killed.database, NOW)
        found.append(killed.noted())
        assert killed.has_files(old if found[-1] == "old" else data.blobs)
        # It can be repeated at once.
        if len(found) % 4 == 0:
            killed.restore(made.path)
            assert killed.noted() == "old"
    assert found == sorted(found, key=lambda note: note == "old")
    assert found[0] == "new"


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_of_two_backups_to_the_same_file_one_is_made(data: Data, tmp_path: Path) -> None:
    children: list[int] = []
    for _ in range(4):
        child = os.fork()
        if not child:
            try:
                data.backup(tmp_path / "b.tar")
            except DatabaseError:
                os._exit(3)
            os._exit(0)
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0, 3, 3, 3]
    assert data.restore(tmp_path / "b.tar").files == 2
    assert not list(tmp_path.glob("b.tar.*"))
