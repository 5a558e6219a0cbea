"""Static reading of a source tree's imports."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

Statement = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True)
class Import:
    """An imported name."""

    importer: str
    """Dotted name of the module that contains the statement."""
    target: str
    """Dotted name of the imported module; may include an object's name if that could be a module."""
    line: int
    lazy: bool
    """Whether it is inside a function, and so runs only when the function is called."""
    typing: bool
    """Whether it is under ``if TYPE_CHECKING``, and so never runs."""

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed file."""

    name: str
    lines: int
    tree: ast.Module
    text: str = ""


def read_modules(source: Path) -> dict[str, Module]:
    """Parse all modules under a source folder (the parent of the packages), by dotted name."""
    modules = (read_module(path, source) for path in sorted(source.rglob("*.py")))
    return {module.name: module for module in modules}


def read_module(path: Path, source: Path) -> Module:
    """Parse one file."""
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(source).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, len(text.splitlines()), ast.parse(text, str(path)), text)


def read_imports(modules: dict[str, Module]) -> list[Import]:
    """Return all imports of all modules."""
    return [found for module in modules.values() for found in imports_of(module, modules)]


def imports_of(module: Module, known: Collection[str]) -> Iterator[Import]:
    """Yield the imports of one module; ``known`` are the dotted names of the tree's modules."""
    for statement, lazy, typing in statements(module.tree, lazy=False, typing=False):
        for target in targets(statement, known):
            yield Import(module.name, target, statement.lineno, lazy, typing)


def statements(node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[tuple[Statement, bool, bool]]:
    """Yield the import statements under a node, with whether each is lazy and whether it is for type checking only."""
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
    """Return whether a condition is ``TYPE_CHECKING`` or ``typing.TYPE_CHECKING``."""
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def targets(statement: Statement, known: Collection[str]) -> list[str]:
    """Return the imported modules: for ``from a import b``, ``a.b`` if that is a module of the tree, else ``a``."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    base = statement.module or ""
    names = [f"{base}.{alias.name}" for alias in statement.names]
    return sorted({name if name in known else base for name in names})
