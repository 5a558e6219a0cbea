"""One program for one data folder."""

import errno
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tgllm.db.engine.errors import DatabaseError, DataFolderBusy
from tgllm.db.engine.lock import lock_data_folder

HOLDER = """
import sys
from pathlib import Path
from tgllm.db.engine.lock import lock_data_folder
with lock_data_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_program_is_refused_with_folder_and_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataFolderBusy) as caught, lock_data_folder(tmp_path):
            pass
        assert f"process {holder.pid}" in str(caught.value)
        assert str(tmp_path) in str(caught.value)
        holder.send_signal(signal.SIGKILL)
    with lock_data_folder(tmp_path):
        assert (tmp_path / "tgllm.lock").read_text() == str(os.getpid())


def test_a_lock_is_let_go_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), lock_data_folder(tmp_path):
        raise ValueError("x")
    with lock_data_folder(tmp_path):
        pass


def test_a_shorter_process_id_replaces_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "tgllm.lock").write_text("9" * 19)
    with lock_data_folder(tmp_path):
        assert (tmp_path / "tgllm.lock").read_text() == str(os.getpid())


@pytest.mark.parametrize(("number", "is_held"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EIO, False)])
def test_a_full_disk_can_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_held: bool) -> None:
    def refused(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    (tmp_path / "tgllm.lock").write_text("12345")
    monkeypatch.setattr(os, "pwrite", refused)
    with nullcontext() if is_held else pytest.raises(DatabaseError), lock_data_folder(tmp_path):
        with pytest.raises(DataFolderBusy, match="process unknown"), lock_data_folder(tmp_path):
            pass
        assert (tmp_path / "tgllm.lock").read_text() == ""


def test_two_folders_are_two_locks_and_are_made_private(tmp_path: Path) -> None:
    with lock_data_folder(tmp_path / "one"), lock_data_folder(tmp_path / "two"):
        assert (tmp_path / "two").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "two" / "tgllm.lock").stat().st_mode & 0o777 == 0o600


def test_a_file_in_place_of_the_folder_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="what should be its folder is a file"), lock_data_folder(tmp_path / "file"):
        pass
