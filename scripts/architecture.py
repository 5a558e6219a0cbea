"""Rules of the source tree: allowed imports, sizes of modules, annotations.

Each rule is a function that returns a list of messages, one for each violation.
"""

import ast
import re
import statistics
import sys
from collections.abc import Iterable, Iterator

from imports import Import, Module

# The parts of the package by floor, lowest first; an import points to a lower floor or stays in its part.
FLOORS = (
    {"api"},
    {"hookspecs"},
    {"i18n", "observe", "providers", "shutdown"},
    {"config", "db"},
    {"database_place"},
    {"plugins"},
    {"services"},
    {"bot", "scheduler"},
    {"web"},
    {"app"},
    {"program"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
TESTING = "testing"

# The only parts or modules that may import a library.
HOMES = {
    "aiogram": {"bot", "web", TESTING},
    "aiohttp": {"bot", "web", "providers.connections.late_certificates", "providers.transport", TESTING},
    "aiosqlite": {"db"},
    "sentry_sdk": {"services.errors.sentry"},
    "apscheduler": {"scheduler"},
    "httpx": {"providers.http", "providers.routing", "providers.transport"},
    "opentelemetry": {"observe.tracing"},
    "prometheus_client": {"web"},
    "rich": {"cli"},
    "sqlite3": {"db"},
    "tomlkit": {"config"},
    "typer": {"cli"},
}
SQL_CALLS = {"execute", "executemany", "executescript", "execute_fetchall", "execute_insert"}
CLOCK_HOMES = {"api.clock", "testing.clock"}  # the system clock, and the manual clock for tests
CLOCKS = {
    "asyncio": {"sleep"},
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "time": {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep", "time", "time_ns"},
}

WORK = (ast.Await, ast.Call, ast.With, ast.AsyncWith)

SILENCED = re.compile(
    r"# (?:noqa\b(?:: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*)?|(?:type|pyright): ?ignore\b(?:\[[^]]*\])?)[ \t]*"
    r"(?:(?:see|as) (?:above|below)|the same|ditto)?\Z"
)
"""The last comment of a line that silences ruff or pyright, with nothing after it, or with a reference to a reason."""
LONGEST_MODULE = 500
MEDIAN_MODULE = 150


def part_of(name: str) -> str:
    """Return the part that a module belongs to: ``db`` for ``tgllm.db.tables.inbox``, ``""`` for ``tgllm``."""
    return f"{name}.".split(".")[1]


def is_ours(name: str) -> bool:
    """Return whether a dotted name is in the package."""
    return name == "tgllm" or name.startswith("tgllm.")


def floor_breaches(imports: Iterable[Import]) -> list[str]:
    """Return imports that do not point down the floors, and parts without a floor."""
    return [
        f"{found}: {part_of(found.importer)} may not import {part_of(found.target)}"
        for found in imports
        if is_ours(found.importer) and is_ours(found.target) and not may_import(found)
    ]


def may_import(found: Import) -> bool:
    """Return whether the floors allow an import between two modules of the package."""
    here, there = part_of(found.importer), part_of(found.target)
    if there in {here, ""}:
        return True
    if there == TESTING:
        return (found.lazy or found.typing) and at_home(found.importer, {"cli.commands.demo"})
    return here == TESTING or FLOOR_OF.get(here, -1) > FLOOR_OF.get(there, len(FLOORS))


def plugin_breaches(imports: Iterable[Import]) -> list[str]:
    """Return imports by plugin packages of other plugins, or of more than the public API."""
    return [
        f"{found}: a plugin may import tgllm.hookimpl, tgllm.api and tgllm.providers only"
        for found in imports
        if found.importer.startswith("tgllm_") and not plugin_may_import(found)
    ]


def plugin_may_import(found: Import) -> bool:
    """Return whether a plugin package may have this import."""
    if found.target.startswith("tgllm_"):
        return found.target.split(".")[0] == found.importer.split(".")[0]
    return not is_ours(found.target) or part_of(found.target) in {"", "api", "providers"}


def home_breaches(imports: Iterable[Import]) -> list[str]:
    """Return imports of a library outside its home."""
    return [
        f"{found}: only {', '.join(sorted(HOMES[library]))} may"
        for found in imports
        if is_ours(found.importer) and (library := found.target.split(".")[0]) in HOMES
        if not at_home(found.importer, HOMES[library])
    ]


def at_home(module: str, homes: Iterable[str]) -> bool:
    """Return whether a module is, or is in, one of ``homes``, which are named without the package's name."""
    return any(f"{module}.".startswith(f"tgllm.{home}.") for home in homes)


def contract_breaches(imports: Iterable[Import]) -> list[str]:
    """Return runtime imports by ``tgllm.api`` of anything but the standard library."""
    return [
        f"{found}: the contract runs on the standard library alone"
        for found in imports
        if part_of(found.importer) == "api" and is_ours(found.importer) and not found.typing
        if part_of(found.target) != "api" and found.target.split(".")[0] not in sys.stdlib_module_names
    ]


def sql_breaches(modules: Iterable[Module]) -> list[str]:
    """Return calls that execute SQL outside ``db``."""
    return [
        f"{module.name}:{node.lineno} calls {node.func.attr}: only db may write SQL"
        for module in modules
        if not at_home(module.name, {"db"})
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SQL_CALLS
    ]


def clock_breaches(modules: Iterable[Module]) -> list[str]:
    """Return direct uses of the system clock or of sleep, outside of the clock modules."""
    return [
        f"{module.name}:{line} uses {name}: take a tgllm.api.clock.Clock"
        for module in modules
        if not at_home(module.name, CLOCK_HOMES)
        for line, name in clock_uses(module.tree)
    ]


def clock_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of each use of a clock, as ``time.time`` or by ``from time import time``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).split(".")[-1]
            if node.attr in CLOCKS.get(owner, ()):
                yield node.lineno, f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in {"asyncio", "time"}:
            yield from ((node.lineno, f"{node.module}.{a.name}") for a in node.names if a.name in CLOCKS[node.module])


def import_error_breaches(modules: Iterable[Module]) -> list[str]:
    """Return handlers of ImportError that do work: errors of that work would be shown below the missing package."""
    return [
        f"{module.name}:{line} works inside `except ImportError`: leave the block first, or raise from None"
        for module in modules
        for line in import_error_work(module.tree)
    ]


def import_error_work(tree: ast.Module) -> Iterator[int]:
    """Yield the line of each handler of an ``ImportError`` that does more than choose a value or raise from None."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or node.type is None:
            continue
        caught = {ast.unparse(name).split(".")[-1] for name in ast.walk(node.type) if isinstance(name, ast.expr)}
        if caught.isdisjoint({"ImportError", "ModuleNotFoundError"}):
            continue
        raised = [found for found in ast.walk(node) if isinstance(found, ast.Raise)]
        alone = {part for found in raised if _is_from_none(found) for part in ast.walk(found)}
        if any(isinstance(part, WORK) and part not in alone for line in node.body for part in ast.walk(line)):
            yield node.lineno


def _is_from_none(node: ast.Raise) -> bool:
    return isinstance(node.cause, ast.Constant) and node.cause.value is None


def cycles(imports: Iterable[Import]) -> list[str]:
    """Return import cycles of the package; imports for type checking never run and don't count."""
    graph: dict[str, set[str]] = {}
    for found in imports:
        if not found.typing and found.target != found.importer:
            graph.setdefault(found.importer, set()).add(found.target)
    circles = {circle_through(start, graph) for start in sorted(graph)}
    return sorted(" -> ".join(circle) for circle in circles if circle)


def circle_through(start: str, graph: dict[str, set[str]]) -> tuple[str, ...]:
    """Return the shortest import cycle through a module, as ``turned`` does; empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:
        for following in sorted(graph.get(way[-1], ())):
            if following == start:
                return turned(way)
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()


def turned(circle: tuple[str, ...]) -> tuple[str, ...]:
    """Rotate a cycle to its alphabetically first name, and close it, so that equal cycles compare equal."""
    start = circle.index(min(circle))
    return (*circle[start:], *circle[:start], circle[start])


def size_breaches(modules: Iterable[Module]) -> list[str]:
    """Return modules that are too long, and the median length if it is."""
    sizes = {module.name: module.lines for module in modules}
    breaches = [
        f"{name} has {lines} lines, more than {LONGEST_MODULE}"
        for name, lines in sizes.items()
        if lines > LONGEST_MODULE
    ]
    if (median := statistics.median(sizes.values())) > MEDIAN_MODULE:
        breaches.append(f"the median module has {median:g} lines, more than {MEDIAN_MODULE}")
    return breaches


def silence_breaches(modules: Iterable[Module]) -> list[str]:
    """Return lines that silence a checker without saying why after it."""
    return [
        f"{module.name}:{number} {silenced} has no reason"
        for module in modules
        for number, silenced in silences_without_reason(module.text)
    ]


def silences_without_reason(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that silence a checker without saying why, with their numbers."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := SILENCED.search(line):
            yield number, found[0].strip()


def annotation_breaches(modules: Iterable[Module]) -> list[str]:
    """Return functions with an argument or a result without an annotation."""
    return [
        f"{module.name}:{node.lineno} {node.name} has no type for {missing}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for missing in unannotated(node)
    ]


def unannotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the unannotated parts of a signature; ``self`` and ``cls`` need no annotation."""
    plain = [*node.args.posonlyargs, *node.args.args]
    if plain and plain[0].arg in {"self", "cls"}:
        plain = plain[1:]
    others = [arg for arg in (*node.args.kwonlyargs, node.args.vararg, node.args.kwarg) if arg]
    yield from (arg.arg for arg in (*plain, *others) if arg.annotation is None)
    if node.returns is None:
        yield "its result"
