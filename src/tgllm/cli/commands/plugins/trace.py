"""Implementation of ``tgllm plugins trace``."""

import json
import select
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from tgllm.cli.failure import tell_text
from tgllm.cli.interrupts import raise_interrupts
from tgllm.cli.options import Options
from tgllm.cli.output import print_document, say
from tgllm.cli.stored import place_to_look, settings_to_look
from tgllm.db.looking import is_running
from tgllm.plugins.calls.tracing import reading

__all__ = ["run_trace"]

_WAIT_SECONDS: Final = 3600.0


def run_trace(options: Options, plugin: str | None, count: int | None, *, as_json: bool) -> None:
    """Print the calls of plugins as they happen, until Ctrl-C or until there were enough.

    Raises:
        ConfigError: a setting is invalid.
        PluginError: another trace runs on the data folder.
    """
    raise_interrupts()
    settings = settings_to_look(options, local=False)
    with reading(settings.data_dir) as trace:
        tell_text("shell.plugins_trace" if is_running(place_to_look(settings)) else "shell.plugins_trace_no_bot")
        left = count
        while left is None or left > 0:
            select.select([trace], [], [], _WAIT_SECONDS)
            for entry in trace.read():
                if plugin in {None, entry.get("plugin")} and left != 0:
                    _show(entry, as_json=as_json)
                    left = None if left is None else left - 1


def _show(entry: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print_document(json.dumps(entry) + "\n")
        return
    time = datetime.fromtimestamp(_number(entry, "at"), UTC).strftime("%H:%M:%S.%f")[:-3]
    seconds, blocked = _number(entry, "seconds"), _number(entry, "blocked")
    words = f"{time} {entry.get('plugin')} {entry.get('hook')} {1000 * seconds:.1f} ms"
    words += f" (blocked {1000 * blocked:.1f} ms)" if blocked >= 0.001 else ""
    say(f"{words}: {entry.get('result')}")


def _number(entry: Mapping[str, object], name: str) -> float:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
