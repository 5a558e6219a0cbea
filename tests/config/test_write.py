"""A config file is written as a whole, for its owner only, or not at all."""

import os
import tomllib
from pathlib import Path

import pytest

from tgllm.api.errors import ConfigError
from tgllm.config.write import toml_text, write_config


@pytest.mark.parametrize("value", ["a\x7fb", "tab\t", 'quote " and \\', "ü 😀", "\x1b[0m", "a\u2028b"])
def test_any_text_comes_back(value: str) -> None:
    assert tomllib.loads(toml_text({"a.b": value})) == {"a": {"b": value}}


def full_disk(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_on_a_full_disk_no_half_a_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ConfigError, match="can't be written: No space left on device"):
        write_config(tmp_path / "config.toml", "x = 1\n")

    assert list(tmp_path.iterdir()) == []


def test_on_a_full_disk_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    write_config(path, "old = 1\n")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ConfigError, match="No space left on device"):
        write_config(path, "new = 1\n", replace=True)

    assert path.read_text() == "old = 1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_replaced_is_for_its_owner_only_and_a_link_stays(tmp_path: Path) -> None:
    path, link = tmp_path / "real.toml", tmp_path / "config.toml"
    path.write_text("old")
    path.chmod(0o644)
    link.symlink_to(path)
    write_config(link, "new = 1\n", replace=True)

    assert link.is_symlink()
    assert path.read_text() == "new = 1\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_to_be_replaced_need_not_be_there(tmp_path: Path) -> None:
    write_config(tmp_path / "etc" / "config.toml", "new = 1\n", replace=True)

    assert (tmp_path / "etc" / "config.toml").read_text() == "new = 1\n"


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").touch()
    for path in (tmp_path / "etc" / "config.toml", tmp_path / "etc" / "deep" / "config.toml"):
        with pytest.raises(ConfigError, match=r"can't be written: .* is no folder|Not a directory"):
            write_config(path, "new = 1\n")


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is there already"):
        write_config(path, "new = 1\n")

    assert list(tmp_path.iterdir()) == [path]


def test_without_hard_links_it_is_written_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_paths: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "config.toml"
    write_config(path, "new = 1\n")

    assert path.read_text() == "new = 1\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
