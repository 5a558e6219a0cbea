"""Child process that extracts the text of one page: ``python -m tgllm_web.child SECONDS MEGABYTES``.

Its standard input has the URL of the page in the first line, then the page; its standard output gets JSON: ``title``
and ``text``, which is Markdown. It imports neither aiohttp nor the rest of the plugin.
"""

import json
import math
import os
import re
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]

_CORE_SECONDS = 1
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,1000})", re.IGNORECASE)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Extract the text, and write it."""
    _limit(float(sys.argv[1]), int(sys.argv[2]))
    url = sys.stdin.buffer.readline().decode().strip()
    html = sys.stdin.buffer.read().decode()
    target = os.dup(1)
    # What libraries print is not part of the answer.
    os.dup2(2, 1)
    answer = json.dumps(_extracted(html, url)).encode()
    while answer:
        answer = answer[os.write(target, answer) :]
    # Without a clean-up: the tree of a deep page takes long to free.
    os._exit(0)


def _extracted(html: str, url: str) -> dict[str, str]:
    # Imported by name: it has no types, and is loaded after the limits are set.
    library: Any = import_module("trafilatura")
    text = library.extract(html, url=url, output_format="markdown", include_links=True, include_tables=True, fast=True)
    if not text:
        # A page without an article, such as a list of links or a form: all that is visible.
        text = library.html2txt(html)
    found = _TITLE.search(html)
    return {"title": found[1] if found else "", "text": text or ""}


def _limit(seconds: float, megabytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        # The answers to other chats go first.
        os.nice(10)
    with suppress(OSError):
        # If memory is short, the kernel ends this process and not the bot.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _die_with_the_bot()
    with suppress(ImportError, OSError, ValueError):
        resource: Any = import_module("resource")  # not on Windows
        _set(resource, "RLIMIT_AS", megabytes * 2**20)
        _set(resource, "RLIMIT_CPU", math.ceil(seconds) + _CORE_SECONDS)
        _set(resource, "RLIMIT_CORE", 0)
        _set(resource, "RLIMIT_FSIZE", 0)


def _set(resource: Any, name: str, most: int) -> None:  # noqa: ANN401  a module
    kind = getattr(resource, name)
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _die_with_the_bot() -> None:
    """End with the bot, also by SIGKILL; elsewhere than on Linux, the limit of CPU time ends this process."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import_module("ctypes").CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
