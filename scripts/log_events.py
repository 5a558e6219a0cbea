"""Names of all events that the sources log, with their levels."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEVELS = ("debug", "info", "warning", "error", "critical")


def log_calls(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, level and event of each call of a logger in a file; the event is empty if it is no literal."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LEVELS:
            continue
        # A logger is called log everywhere: log, self._log, context.log.
        if ast.unparse(node.func.value).rpartition(".")[2].lstrip("_") != "log":
            continue
        first = node.args[0] if node.args else None
        literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        yield node.lineno, node.func.attr, literal


def sources() -> Iterable[Path]:
    """Return all modules of the bot and of the plugins in this repository."""
    return sorted([*(ROOT / "src").rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")])


def fields(path: Path, event: str) -> tuple[set[str], bool]:
    """Return the names of the fields of an event in a file, and whether all of them stand there."""
    names: set[str] = set()
    is_all = True
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            if node.args[0].value != event:
                continue
            names |= {"exception" if each.arg == "exc_info" else each.arg for each in node.keywords if each.arg}
            is_all = is_all and all(each.arg for each in node.keywords)
    return names, is_all
