"""Putting one setting into a config file that somebody has written."""

import os
import tomllib
from pathlib import Path

import pytest

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
    "text",
    ["admin = { session_minutes = 5 }\n", "admin.session_minutes = 5\n", "admin = 3\n", 's = """\n[admin]\n"""\n'],
)
def test_what_would_go_wrong_is_left_to_the_operator(text: str) -> None:
    with pytest.raises(ValueError, match='put this line in yourself: password_hash = "new"'):
        with_setting(text, KEY, "new")


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
