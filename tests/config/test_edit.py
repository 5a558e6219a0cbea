"""Putting one setting into a config file that somebody has written."""

import os
import tomllib
from pathlib import Path

import pytest
import tomlkit.exceptions

from tgllm.api.errors import ConfigError
from tgllm.config.edit import set_in_file, with_setting

KEY = "admin.password_hash"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "language = 'ru'  # ours\n",
        "[admin]\nsession_minutes = 5\n",
        "[admin]\npassword_hash = 'old' # from last year\nsession_minutes = 5\n\n[log]\nlevel = 'debug'\n",
        "[ admin ] # who\n[log]\nlevel = 'debug'\n",
        "[turns]\nattempts = 3\n\n[plugins.mistral]\napi_key = 'x'",
    ],
)
def test_only_that_setting_is_another(text: str) -> None:
    before = tomllib.loads(text)
    after = tomllib.loads(with_setting(text, KEY, "new"))

    assert after.pop("admin") == {**before.pop("admin", {}), "password_hash": "new"}
    assert after == before


def test_comments_and_order_stay() -> None:
    text = "# mine\nlanguage = 'ru'  # ours\n\n[admin]\n# ten is too long\nsession_minutes = 5\n"

    assert with_setting(text, KEY, "new") == text.replace("[admin]\n", '[admin]\npassword_hash = "new"\n')


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        # In the place of an old value, whose comment stays.
        ("[admin]\npassword_hash = 'old' # mine\n", '[admin]\npassword_hash = "new" # mine\n'),
        ("[ admin ]\n\"password_hash\"='old'\nx = 1\n", '[ admin ]\n"password_hash"="new"\nx = 1\n'),
        ('[admin]\npassword_hash = """\n[admin]""" # mine\n', '[admin]\npassword_hash = "new" # mine\n'),
        ("admin.password_hash = 'old' # mine\n", 'admin.password_hash = "new" # mine\n'),
        ("admin = { password_hash = 'old', x = 1 } # mine\n", 'admin = { password_hash = "new", x = 1 } # mine\n'),
        # Where the table is written in another way.
        ("admin = { x = 1 } # mine\n", 'admin = { x = 1, password_hash = "new"} # mine\n'),
        ("admin = {}\n", 'admin = {password_hash = "new"}\n'),
        ("admin.x = 1\n\n# mine\n[log]\n", 'admin.x = 1\nadmin.password_hash = "new"\n\n# mine\n[log]\n'),
        ("['admin'] # mine\n  x = 1\n", "['admin'] # mine\n  password_hash = \"new\"\n  x = 1\n"),
        ("[admin]\n\n# mine\n[log]\n", '[admin]\npassword_hash = "new"\n\n# mine\n[log]\n'),
        ("[admin]", '[admin]\npassword_hash = "new"\n'),
        ("[admin.x]\ny = 1\n[log]\n[admin]\n", '[admin.x]\ny = 1\n[log]\n[admin]\npassword_hash = "new"\n'),
        # In a table of its own where there is none.
        ("[admin.x]\ny = 1\n", '[admin.x]\ny = 1\n\n[admin]\npassword_hash = "new"\n'),
        ("[[admins]]\nx = 1", '[[admins]]\nx = 1\n\n[admin]\npassword_hash = "new"\n'),
        ('s = """\n[admin]\n"""\n', 's = """\n[admin]\n"""\n\n[admin]\npassword_hash = "new"\n'),
        ("x = nan\n# mine", 'x = nan\n# mine\n\n[admin]\npassword_hash = "new"\n'),
        # Where lines end in two ways, those of before stay.
        ("[admin]\r\nx = 1\n", '[admin]\r\npassword_hash = "new"\nx = 1\n'),
        ("[admin]\r\nx = 1\r\n", '[admin]\r\npassword_hash = "new"\r\nx = 1\r\n'),
        ("admin.x = 1\r\n", 'admin.x = 1\r\nadmin.password_hash = "new"\r\n'),
    ],
)
def test_however_its_table_is_written_the_rest_stays(text: str, changed: str) -> None:
    assert with_setting(text, KEY, "new") == changed


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("admin = 3 # mine\n", "admin must be a table"),
        ("[[admin]]\nx = 1\n", "admin must be a table"),
        ("[admin.password_hash]\nx = 1 # mine\n", "admin.password_hash must be a string"),
        ("[admin]\npassword_hash = ['x'] # mine\n", "admin.password_hash must be a string"),
    ],
)
def test_what_has_no_room_for_the_setting_stays_as_it_is(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=wrong):
        set_in_file(path, KEY, "new")
    assert path.read_text() == text


@pytest.mark.parametrize("written", ["not toml", "x = 1\n", "[admin]\npassword_hash = 'other'\n", None])
def test_what_would_read_otherwise_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str | None
) -> None:
    def broken(*_: object) -> str:
        if written is None:
            raise tomlkit.exceptions.KeyAlreadyPresent("admin")
        return written

    monkeypatch.setattr(tomlkit.TOMLDocument, "as_string", broken)
    path = tmp_path / "config.toml"
    path.write_text("[admin]\nx = 1\n")

    with pytest.raises(ConfigError, match="can't be set in this file"):
        set_in_file(path, KEY, "new")
    assert path.read_text() == "[admin]\nx = 1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_on_a_full_disk_the_file_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "config.toml"
    path.write_text("[admin]\n")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ConfigError, match="No space left on device"):
        set_in_file(path, KEY, "new")
    assert path.read_text() == "[admin]\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_toml_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("not toml")

    with pytest.raises(ConfigError, match="is no TOML"):
        set_in_file(path, KEY, "new")
    assert path.read_text() == "not toml"


def test_a_missing_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "config.toml"
    set_in_file(path, KEY, "new")

    assert tomllib.loads(path.read_text()) == {"admin": {"password_hash": "new"}}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "real.toml", tmp_path / "config.toml"
    path.write_text("language = 'ru'\n")
    link.symlink_to(path)
    set_in_file(link, KEY, "new")

    assert link.is_symlink()
    assert tomllib.loads(path.read_text())["admin"] == {"password_hash": "new"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.toml", "real.toml"]


@pytest.mark.parametrize(("mode", "after"), [(0o600, 0o600), (0o640, 0o640), (0o664, 0o660)])
def test_whom_the_operator_lets_read_it_may_read_it_afterwards(tmp_path: Path, mode: int, after: int) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(mode)
    set_in_file(path, KEY, "new")

    assert path.stat().st_mode & 0o777 == after


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody")
def test_what_root_changes_stays_the_bots(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    os.chown(path, 4321, 1234)
    set_in_file(path, KEY, "new")

    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 1234)


def test_a_mark_and_the_ends_of_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbflanguage = 'ru'\r\nsystem_prompt = 'a\xe2\x80\xa8b'\r\n")
    set_in_file(path, KEY, "new")

    assert path.read_bytes() == (
        b"\xef\xbb\xbflanguage = 'ru'\r\nsystem_prompt = 'a\xe2\x80\xa8b'\r\n\r\n[admin]\r\npassword_hash = \"new\"\r\n"
    )


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        set_in_file(path, KEY, "new")
