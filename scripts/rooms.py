"""Rules of the rooms, the folders inside a layer: their order, their size, their tests.

As in ``architecture``, each rule is a function that returns a list of messages, one for each violation.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from architecture import TESTING, at_home, is_ours
from imports import Import, Module

FULLEST_FOLDER = 22
"""Maximum number of Python files directly in one folder, including ``__init__.py``."""
METHOD_HOMES = {"bot", "services.messaging", "web", TESTING}

Rooms = Mapping[str, Sequence[str]]
"""Names of the rooms and modules of each layer, lowest first."""


def read_rooms(context: str) -> Rooms:
    """Read the table under the heading "Rooms" in CONTEXT.md."""
    _, _, section = context.partition("\n## Rooms\n")
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", section.partition("\n## ")[0], re.MULTILINE)
    return {layer: re.findall(r"`(\w+)`", rooms) for layer, rooms in rows}


def room_breaches(imports: Iterable[Import], rooms: Rooms) -> list[str]:
    """Return imports inside a layer that do not point down its rooms."""
    breaches: list[str] = []
    for found in imports:
        here, there = (f"{name}..".split(".") for name in (found.importer, found.target))
        layer = here[1]
        if here[:2] != ["tgllm", layer] or there[:2] != here[:2] or layer not in rooms or "" in {here[2], there[2]}:
            continue
        if here[2] != there[2] and not _is_above(here[2], there[2], rooms[layer]):
            breaches.append(f"{found}: {layer}/{here[2]} may not import {layer}/{there[2]}")
    return breaches


def _is_above(here: str, there: str, order: Sequence[str]) -> bool:
    return here in order and there in order and order.index(here) > order.index(there)


def room_table_breaches(modules: Iterable[Module], rooms: Rooms) -> list[str]:
    """Return rooms and modules that are not in the table, and entries of the table that do not exist."""
    found: dict[str, set[str]] = {layer: set() for layer in rooms}
    for module in modules:
        package, layer, room = f"{module.name}..".split(".")[:3]
        if package == "tgllm" and room and layer in found:
            found[layer].add(room)
    missing = [(layer, room) for layer, order in rooms.items() for room in found[layer].difference(order)]
    gone = [(layer, room) for layer, order in rooms.items() for room in set(order) - found[layer]]
    return sorted(
        [f"{layer}/{room} has no place in the table of rooms" for layer, room in missing]
        + [f"the table of rooms has {layer}/{room}, which is not there" for layer, room in gone]
    )


def room_front_breaches(modules: Iterable[Module], rooms: Rooms) -> list[str]:
    """Return rooms whose ``__init__.py`` is not just a docstring of one sentence."""
    known = list(modules)
    packages = {module.name.rpartition(".")[0] for module in known}
    return [
        f"{module.name}: the front of a room is one sentence, and nothing else"
        for module in known
        if module.name in packages and module.name.count(".") > 1 and module.name.split(".")[1] in rooms
        if len(module.tree.body) != 1 or not is_one_sentence(ast.get_docstring(module.tree) or "")
    ]


def is_one_sentence(text: str) -> bool:
    """Return whether a docstring is one sentence, on any number of lines."""
    return text.endswith(".") and not re.search(r"[.?!]\s", text)


def folder_breaches(root: Path) -> list[str]:
    """Return folders under a root with too many Python files."""
    counts = Counter(path.parent for path in root.rglob("*.py"))
    return sorted(
        f"{folder.relative_to(root.parent)} holds {count} files, more than {FULLEST_FOLDER}"
        for folder, count in counts.items()
        if count > FULLEST_FOLDER
    )


def mirror_breaches(tests: Path, package: Path) -> list[str]:
    """Return test folders that match no folder of the package, and file names that are used more than once.

    Test files may have the same name if each is named after a module of its own room.
    """
    files = sorted(tests.rglob("test_*.py"))
    folders = {path.parent.relative_to(tests) for path in files}
    parts = {path.name for path in package.iterdir() if path.is_dir()}
    strays = [f"tests/{folder} mirrors nothing" for folder in folders if _mirrors_nothing(folder, package, parts)]
    names = Counter(path.name for path in files if not _is_named_after_a_module(path.relative_to(tests), package))
    return sorted(strays) + sorted(f"{count} files are called {name}" for name, count in names.items() if count > 1)


def _mirrors_nothing(folder: Path, package: Path, parts: Collection[str]) -> bool:
    return len(folder.parts) > 1 and folder.parts[0] in parts and not (package / folder).is_dir()


def _is_named_after_a_module(path: Path, package: Path) -> bool:
    module = package / path.parent / path.name.removeprefix("test_")
    return module.is_file() or module.with_suffix("").is_dir()


def method_breaches(modules: Iterable[Module], methods: Collection[str]) -> list[str]:
    """Return names of Bot API methods outside of ``METHOD_HOMES``, such as in services other than messaging."""
    return [
        f"{module.name}:{node.lineno} names {node.value}: only services.messaging may"
        for module in modules
        if is_ours(module.name) and not at_home(module.name, METHOD_HOMES)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value in methods
    ]
