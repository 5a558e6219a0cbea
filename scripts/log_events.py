"""Names of all events that the sources log, with their levels."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEVELS = ("debug", "info", "warning", "error", "critical")
OUTAGE_LEVELS = ("debug", "warning")
OUTAGE_FIELDS = {"cause", "failures", "hint", "host", "proxy", "reason"}
"""What ``tgllm.bot.telegram.outage`` writes with each event, beside the fields of its callers."""


def log_calls(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, level and event of each call of a logger in a file; the event is empty if it is no literal."""
    for node in _calls(path):
        if (event := outage_event(node)) is not None:
            yield from ((node.lineno, level, event) for level in OUTAGE_LEVELS)
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in LEVELS:
            continue
        # A logger is called log everywhere: log, self._log, context.log.
        if ast.unparse(node.func.value).rpartition(".")[2].lstrip("_") != "log":
            continue
        first = node.args[0] if node.args else None
        literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        yield node.lineno, node.func.attr, literal


def outage_event(call: ast.Call) -> str | None:
    """Return the event under which an ``Outage`` logs failed calls; None for other calls."""
    is_outage = isinstance(call.func, ast.Name) and call.func.id == "Outage"
    if not is_outage or not isinstance(call.args[-1], ast.Constant):
        return None
    return str(call.args[-1].value)


def reports(path: Path) -> Iterator[tuple[str, set[str], bool]]:
    """Yield event and fields of each report of an unexpected error in a file, and whether all of them stand there.

    A report is a line of the level error.
    """
    for node in _calls(path):
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "report":
            continue
        named = {each.arg: each.value for each in node.keywords if each.arg}
        event = named.pop("event", None)
        if isinstance(event, ast.Constant) and isinstance(event.value, str):
            yield event.value, set(named), all(each.arg for each in node.keywords)


def sources() -> Iterable[Path]:
    """Return all modules of the bot and of the plugins in this repository."""
    return sorted([*(ROOT / "src").rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")])


def fields(path: Path, event: str) -> tuple[set[str], bool]:
    """Return the names of the fields of an event in a file, and whether all of them stand there."""
    names: set[str] = set()
    is_all = True
    for node in _calls(path):
        if outage_event(node) == event:
            names |= OUTAGE_FIELDS
            is_all = False
        elif node.args and isinstance(node.args[0], ast.Constant):
            if node.args[0].value != event:
                continue
            names |= {"exception" if each.arg == "exc_info" else each.arg for each in node.keywords if each.arg}
            is_all = is_all and all(each.arg for each in node.keywords)
    return names, is_all


@cache
def _calls(path: Path) -> Sequence[ast.Call]:
    """Return the calls in a file that may write to the log, or take the name of an event for later."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node for node in nodes if isinstance(node, ast.Call) and (_is_of_log(node.func) or _has_name(node))]


def _is_of_log(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == "Outage"
    return isinstance(function, ast.Attribute) and function.attr in {*LEVELS, "report"}


def _has_name(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and "." in first.value
