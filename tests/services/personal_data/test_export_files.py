"""Files of exports on disk."""

import stat
from pathlib import Path

from tgllm.services.personal_data.export_files import KEPT_SECONDS, remove_export, write_exports

NOW = 1_762_862_400.0


def test_files_are_private_and_hold_their_texts(tmp_path: Path) -> None:
    one, two = write_exports(tmp_path, ["# Ж", "{}"], NOW)
    assert [path.read_text(encoding="utf-8") for path in (one, two)] == ["# Ж", "{}"]
    assert one.parent == two.parent == tmp_path / "files" / "exports"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (one, two)} == {0o600}
    assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700


def test_what_was_left_behind_goes_with_the_next_export_of_another_day(tmp_path: Path) -> None:
    (old,) = write_exports(tmp_path, ["old"], NOW)
    (same_day,) = write_exports(tmp_path, ["same day"], NOW + KEPT_SECONDS)
    assert old.exists()
    write_exports(tmp_path, ["next"], NOW + KEPT_SECONDS + 1)
    assert not old.exists()
    assert same_day.exists()


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    (path,) = write_exports(tmp_path, ["text"], NOW)
    remove_export(path)
    remove_export(path)
    assert not path.exists()
