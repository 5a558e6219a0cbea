"""The user unit of systemd, with any path."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tgllm.services.setup.unit import unit_path, unit_text


def test_paths_are_quoted() -> None:
    text = unit_text("/opt/my venv/bin/python", Path('/home/ann/100% "mine"/$x.toml'))

    command = r'ExecStart="/opt/my venv/bin/python" -P -m tgllm run --config "/home/ann/100%% \"mine\"/$$x.toml"'
    assert command in text.splitlines()


def test_systemd_watches_it_as_the_unit_of_the_system() -> None:
    shipped = Path(__file__).parents[3] / "deploy" / "systemd" / "tgllm.service"
    names = ("Type", "NotifyAccess", "WatchdogSec", "TimeoutStartSec", "TimeoutStopSec")
    watched = {line for line in shipped.read_text().splitlines() if line.partition("=")[0] in names}

    assert len(watched) == len(names)
    assert watched <= set(unit_text("python", Path("x.toml")).splitlines())


def test_it_goes_where_systemd_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert unit_path() == tmp_path / "systemd" / "user" / "tgllm.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_it(tmp_path: Path) -> None:
    unit = tmp_path / "tgllm.service"
    unit.write_text(unit_text("/bin/true", Path("/x y.toml")))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
