"""Check that the running Python is suitable for the project, before anything is installed.

Written in the syntax of Python 3.6, so that an older Python can print the message.
"""

import importlib
import sys

OLDEST = (3, 11)
CURE = "Install a newer one, or name another: make PYTHON=python3.12 TARGET"


def complaint() -> str:
    """Return what is wrong with the running Python and how to fix it; empty if it is suitable."""
    if sys.version_info[:2] < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:2])
        return f"tgllm needs Python {OLDEST[0]}.{OLDEST[1]} or newer, but {sys.executable} is {found}. {CURE}"
    for name in ("venv", "ensurepip"):
        try:
            importlib.import_module(name)
        except ImportError:
            return (
                f"{sys.executable} has no module {name}, so it can't make a virtual environment. "
                "On Debian and Ubuntu: apt install python3-venv"
            )
    return ""


if __name__ == "__main__":
    sys.exit(complaint() or 0)
