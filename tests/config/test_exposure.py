"""Files that other users of the machine can read or change."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config_support import TOKEN, Operator
from tgllm.config.exposure import Exposed, exposed, exposed_files, exposure_text
from tgllm.i18n import Catalogue


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A usual umask, under a folder that is nobody else's."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    before = os.umask(0o022)
    tmp_path.chmod(0o700)
    yield
    os.umask(before)


def found(*paths: Path) -> list[tuple[str, str]]:
    return [(str(each.path), each.problem) for each in exposed(paths)]


@pytest.mark.parametrize(
    ("mode", "problem"),
    [(0o600, None), (0o640, None), (0o660, None), (0o604, "readable"), (0o644, "readable"), (0o602, "writable"),
     (0o666, "writable")],
)  # fmt: skip
def test_a_file(tmp_path: Path, mode: int, problem: str | None) -> None:
    path = tmp_path / "a file"
    path.touch()
    path.chmod(mode)

    assert found(path) == ([] if problem is None else [(str(path), problem)])


@pytest.mark.parametrize("mode", [0o644, 0o666])
def test_the_command_mends_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "it's a file"
    path.touch()
    path.chmod(mode)
    (each,) = exposed([path])

    assert each.cure.startswith("chmod o-rwx ")
    assert os.system(each.cure) == 0
    assert found(path) == []


@pytest.mark.parametrize(("mode", "problem"), [(0o700, None), (0o750, None), (0o755, "readable"), (0o777, "writable")])
def test_a_folder(tmp_path: Path, mode: int, problem: str | None) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)

    assert found(folder) == ([] if problem is None else [(str(folder), problem)])


def test_a_folder_above_in_which_others_can_write(tmp_path: Path) -> None:
    above = tmp_path / "shared"
    path = above / "data" / "config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    above.chmod(0o777)
    assert found(path, path.parent) == [(str(above), "folder")]
    (each,) = exposed([path])
    assert os.system(each.cure) == 0
    assert found(path) == []

    above.chmod(0o1777)
    assert found(path) == []


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.touch(0o600)
    link.symlink_to(path)
    assert found(link) == []

    path.chmod(0o644)
    assert found(link) == [(str(link), "readable")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_another_user(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o600)
    os.chown(path, 12345, 12345)
    (each,) = exposed([path])

    assert each.problem == "owner"
    assert os.system(each.cure) == 0
    assert found(path) == []


def test_what_is_not_there(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert found(tmp_path / "missing", loop) == []


def test_all_that_the_bot_has(operator: Operator) -> None:
    operator.writes_toml(f'bot_token = "{TOKEN}"\ndata_dir = "{operator.folder / "data"}"\n')
    operator.writes_dotenv("GEMINI_API_KEY=k\n")
    data = operator.folder / "data"
    (data / "backups").mkdir(parents=True)
    names = ["tgllm.db", "tgllm.db-wal", "tgllm.db-shm", "tgllm.db.backup-v1-x", "backups/x.sqlite"]
    for name in names:
        (data / name).touch()
    operator.folder.chmod(0o700)

    expected = [operator.toml, operator.dotenv, data, *(data / name for name in names), data / "backups"]
    assert {each.path for each in exposed_files(operator.loads())} == set(expected)
    for each in exposed_files(operator.loads()):
        assert os.system(each.cure) == 0
    assert exposed_files(operator.loads()) == []


def test_key_files_that_settings_name(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    key, google, other = (operator.folder / name for name in ("key.pem", "google.json", "other"))
    for path in (key, google, other):
        path.touch()
    operator.folder.chmod(0o700)
    operator.writes_toml(f'[plugins.x]\nkey_file = "{key}"\nmodel = "{other}"\nca_path = "not/absolute"\n')
    operator.toml.chmod(0o600)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google))

    assert [each.path for each in exposed_files(operator.loads())] == [key, google]


def test_a_dotenv_without_settings_does_not_count(operator: Operator) -> None:
    operator.writes_dotenv("# nothing\n")

    assert [each.path for each in exposed_files(operator.loads())] == []


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("problem", ["owner", "writable", "readable", "folder"])
def test_the_texts(language: str, problem: str) -> None:
    text = exposure_text(Catalogue(language, strict=True), Exposed(Path("/x"), problem, "chmod o-w /x"))  # type: ignore[arg-type]  a parameter

    assert "/x" in text
    assert "chmod o-w /x" in text
