"""Read which module of a source tree imports what, and where it does so, without running any of it."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

Statement = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True)
class Import:
    """One name that one module imports."""

    importer: str
    """The dotted name of the module that holds the statement."""
    target: str
    """The dotted name of the imported module; of a name in it, if that can't be told from a module."""
    line: int
    lazy: bool
    """Inside a function, so that it runs when the function is called."""
    typing: bool
    """Under ``if TYPE_CHECKING``, so that it never runs."""

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file."""

    name: str
    lines: int
    tree: ast.Module


def read_modules(source: Path) -> dict[str, Module]:
    """All modules under a source folder (the one that holds the packages), by dotted name."""
    modules = (read_module(path, source) for path in sorted(source.rglob("*.py")))
    return {module.name: module for module in modules}


def read_module(path: Path, source: Path) -> Module:
    """Parse one file."""
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(source).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, len(text.splitlines()), ast.parse(text, str(path)))


def read_imports(modules: dict[str, Module]) -> list[Import]:
    """Every import of every module."""
    return [found for module in modules.values() for found in imports_of(module, modules)]


def imports_of(module: Module, known: Collection[str]) -> Iterator[Import]:
    """The imports of one module; ``known`` are the names of the tree's own modules."""
    for statement, lazy, typing in statements(module.tree, lazy=False, typing=False):
        for target in targets(statement, known):
            yield Import(module.name, target, statement.lineno, lazy, typing)


def statements(node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[tuple[Statement, bool, bool]]:
    """Every import statement under a node, with whether it is lazy and whether it is for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Statement):
            yield child, lazy, typing
        elif isinstance(child, ast.If) and names_type_checking(child.test):
            yield from statements(ast.Module(child.body, []), lazy=lazy, typing=True)
            yield from statements(ast.Module(child.orelse, []), lazy=lazy, typing=typing)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from statements(child, lazy=lazy or inside, typing=typing)


def names_type_checking(test: ast.expr) -> bool:
    """Whether a condition is ``TYPE_CHECKING`` or ``typing.TYPE_CHECKING``."""
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def targets(statement: Statement, known: Collection[str]) -> list[str]:
    """What a statement imports: ``from a import b`` is ``a.b`` if that is a module of the tree, else ``a``."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    base = statement.module or ""
    names = [f"{base}.{alias.name}" for alias in statement.names]
    return sorted({name if name in known else base for name in names})
