"""Implementation of ``tgllm models sync``."""

import asyncio
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from tgllm.app import open_core
from tgllm.cli.commands.models.cells import MICROS
from tgllm.cli.core import raise_config_errors
from tgllm.cli.failure import tell
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table
from tgllm.observe.visible import visible_line
from tgllm.services.core import Core
from tgllm.services.models.diff import FieldChange, ModelDiff, ProviderReport, SyncReport
from tgllm.services.models.service import Progress as Told

__all__ = ["run_sync"]


def run_sync(options: Options, *, as_json: bool) -> int:
    """Fetch the model lists and print the changes; return the exit code, 1 if a provider failed.

    Raises:
        ConfigError: the settings of a plugin are invalid.
    """
    options.quiet_log()
    report = asyncio.run(_sync(options))
    if as_json:
        print_json(_object(report))
    else:
        _print(report)
    for failed in report.failed:
        tell(f"{failed.provider}: {failed.reason}")
    if report.lost_default is not None:
        tell(f"{report.lost_default}, which answered by default, is not offered any more: tgllm models default")
    return 1 if report.failed else 0


async def _sync(options: Options) -> SyncReport:
    async with open_core(options.load(), plugins=options.plugins) as core:
        raise_config_errors(core)
        with _progress(core) as told:
            return await core.models.pull_and_sync_models(progress=told)


@contextmanager
def _progress(core: Core) -> Generator[Told]:
    """Show a progress line for each provider on standard error, if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _provider, _result: None
        return
    from rich.console import Console  # noqa: PLC0415  for people at a terminal only
    from rich.progress import Progress, SpinnerColumn, TextColumn  # noqa: PLC0415  for people at a terminal only

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[found]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {name: progress.add_task(visible_line(name), total=1, found="...") for name in core.registry.ids}

        def told(provider: str, result: ProviderReport | int) -> None:
            found = core.texts("admin.models.count", "en", count=result) if isinstance(result, int) else result.state
            progress.update(tasks[provider], completed=1, found=found)

        yield told


def _print(report: SyncReport) -> None:
    columns = ("Provider", "State", "Models", "New", "Changed", "Retired", "Note")
    print_table(columns, map(_row, report.providers))
    changes = [row for entry in report.providers for row in _changes(entry.diff)]
    if changes:
        print_table(("Change", "Model", "What"), changes)


def _row(entry: ProviderReport) -> Sequence[str]:
    counts = (entry.listed, len(entry.diff.new), len(entry.diff.changed), len(entry.diff.retired))
    return (
        entry.provider,
        entry.state,
        *(str(count) if entry.state == "ok" else "-" for count in counts),
        entry.reason,
    )


def _changes(diff: ModelDiff) -> Iterator[Sequence[str]]:
    yield from (("new", str(ref), "") for ref in diff.new)
    yield from (("changed", str(change.ref), _what(change.fields)) for change in diff.changed)
    yield from (("retired", str(ref), "") for ref in diff.retired)


def _what(fields: Iterable[FieldChange]) -> str:
    return "; ".join(f"{field.name}: {_text(field, field.old)} -> {_text(field, field.new)}" for field in fields)


def _text(field: FieldChange, value: object) -> str:
    """Format a value for the table; prices are stored in millionths of a US dollar."""
    if field.name.endswith("_price") and isinstance(value, int):
        return f"{value / MICROS:g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "-"  # pyright: ignore[reportUnknownArgumentType]  JSON
    return "-" if value is None else str(value)


def _object(report: SyncReport) -> dict[str, object]:
    return {
        "providers": [_provider(entry) for entry in report.providers],
        "lost_default": None if report.lost_default is None else str(report.lost_default),
    }


def _provider(entry: ProviderReport) -> dict[str, object]:
    return {
        "provider": entry.provider,
        "state": entry.state,
        "reason": entry.reason,
        "models": entry.listed,
        "new": [str(ref) for ref in entry.diff.new],
        "changed": [
            {"model": str(change.ref), **{field.name: [field.old, field.new] for field in change.fields}}
            for change in entry.diff.changed
        ],
        "retired": [str(ref) for ref in entry.diff.retired],
    }
