"""Unit of systemd with which a person's own systemd starts the bot."""

import os
from pathlib import Path
from typing import Final

__all__ = ["has_systemd", "unit_path", "unit_text"]

_RUNNING: Final = Path("/run/systemd/system")
"""Exists where systemd is the service manager. systemd: sd_booted."""

_UNIT: Final = """\
# Starts the bot; written by tgllm init. Change copies with: systemctl --user edit tgllm
[Unit]
Description=tgllm, a private LLM bot on Telegram
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
# Ready when the bot runs, or when it waits for Telegram only.
Type=notify
NotifyAccess=main
ExecStart={command}
WorkingDirectory=%h
Restart=on-failure
RestartSec=10
# Settings are wrong: starting again changes nothing.
RestartPreventExitStatus=2
TimeoutStartSec=300
# A shutdown takes turns.stop_timeout and up to 40 s more; if that is longer than this, the bot says so.
TimeoutStopSec=90
WatchdogSec=120
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def has_systemd() -> bool:
    """Return whether systemd runs on this machine."""
    return _RUNNING.is_dir()


def unit_path() -> Path:
    """Return the path of the user unit. systemd: systemd.unit, unit file load path."""
    base = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return (Path(base) if base else Path("~/.config").expanduser()) / "systemd" / "user" / "tgllm.service"


def unit_text(python: str, config: Path) -> str:
    """Return the unit.

    Args:
        python: path of the interpreter in which tgllm is installed.
        config: path of the config file.
    """
    words = (python, "-P", "-m", "tgllm", "run", "--config", str(config))
    return _UNIT.format(command=" ".join(map(_quoted, words)))


def _quoted(word: str) -> str:
    """Quote a word of a command line. systemd: systemd.service, command lines; % and $ are doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    is_plain = all(letter.isalnum() or letter in "-_./+:@,=" for letter in escaped)
    return escaped if is_plain else f'"{escaped}"'
