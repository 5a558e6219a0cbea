"""Checks of plugins in processes of their own, a few at a time."""

import asyncio
import json
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from tgllm.api.context import Check
from tgllm.observe.redaction import redact
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.installing.commands import Command
from tgllm.plugins.installing.process import run
from tgllm.services.plugin_checks.results import Checked

__all__ = ["check_all"]

CHECK_SECONDS: Final = 120.0
_AT_A_TIME: Final = 2
_MOST_WORDS: Final = 300


async def check_all(plugins: Sequence[FoundPlugin], options: Sequence[str]) -> list[Checked]:
    """Check plugins, each in a process of its own; one that ends its process has failed.

    Args:
        plugins: the plugins.
        options: the options for ``tgllm`` that say where its settings are.
    """
    limit = asyncio.Semaphore(_AT_A_TIME)
    with TemporaryDirectory(prefix="tgllm-") as folder:

        async def one(number: int, found: FoundPlugin) -> Checked:
            async with limit:
                return await _check(found, options, Path(folder) / f"{number}.json")

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number, found)) for number, found in enumerate(plugins)]
    return _with_clashes([task.result() for task in tasks])


async def _check(found: FoundPlugin, options: Sequence[str], result: Path) -> Checked:
    words = (sys.executable, "-m", "tgllm", *options, "plugins", "check")
    # Names of entry points may be anything, such as an option.
    words += (f"--package={found.package}", "--into", str(result), "--", found.id)
    ended = await run(Command(words), CHECK_SECONDS, is_foreign=True)
    if ended.is_late:
        return _failed(found, f"it did not end within {CHECK_SECONDS:g} s")
    checked = await asyncio.to_thread(_read, result)
    return checked or _failed(found, _ending(ended.code, ended.lines))


def _read(result: Path) -> Checked | None:
    try:
        return Checked.of_object(cast("Mapping[str, Any]", json.loads(result.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # The plugin runs in the process that writes it.
        return None


def _ending(code: int, errors: Sequence[str]) -> str:
    last = next((line.strip() for line in reversed(errors) if line.strip()), "")
    words = f": {redact(last)[:_MOST_WORDS]}" if last else ""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        return f"it ends the process by {name} while it is loaded{words}"
    return f"it ends the process with exit code {code} while it is loaded{words}"


def _failed(found: FoundPlugin, reason: str) -> Checked:
    return Checked(found.id, found.package, found.version, (Check("Loading", "failed", reason),))


def _with_clashes(found: Sequence[Checked]) -> list[Checked]:
    """Add what only shows when plugins are looked at together: one name, or one id, of several."""
    owners: dict[str, list[str]] = defaultdict(list)
    for each in found:
        for name in (f"plugin {each.plugin_id}", *each.names):
            owners[name].append(each.package)
    clashes = {name: packages for name, packages in owners.items() if len(packages) > 1}
    return [_with(each, clashes) for each in found]


def _with(checked: Checked, clashes: Mapping[str, Sequence[str]]) -> Checked:
    own = [name for name in (f"plugin {checked.plugin_id}", *checked.names) if name in clashes]
    notes = [
        Check("Names", "warning", f"{name} is in {' and in '.join(clashes[name])}: only one has it") for name in own
    ]
    return replace(checked, checks=(*checked.checks, *notes)) if notes else checked
