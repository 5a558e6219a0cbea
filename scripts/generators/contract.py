"""Write ``tests/api/contract.txt``, a line for each name of the public API, and the page of its types."""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ROOT / "src" / "tgllm"
SNAPSHOT: Final = ROOT / "tests" / "api" / "contract.txt"
PAGE: Final = ROOT / "docs" / "reference" / "plugin-types.md"
HEAD: Final = """# Types of the plugin API

Every class and type of `tgllm.api`, with its fields and methods. This page is made from the docstrings by
`make generate`. [The plugin API](plugin-api.md) is the overview, and [Hooks](hooks.md) lists the functions that a
plugin implements.

A field with a default may be left out. Fields, methods and names are only added within a major version of the API:
pass the fields of a class by name, and accept values of types like `FinishReason` that you don't know.
"""
ORDER: Final = (
    ("version", "Versions"),
    ("context", "The plugin itself"),
    ("clock", "Time"),
    ("provider", "Providers"),
    ("model_ref", "Names of models"),
    ("types", "Requests and models"),
    ("events", "Events of an answer"),
    ("errors", "Errors"),
    ("commands", "Commands"),
    ("files", "Files"),
    ("jobs", "Jobs"),
    ("people", "People and chats"),
    ("turn", "Turns"),
)
"""Modules and the headings of their types; others follow under their names."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field or method of a class."""

    name: str
    signature: str
    """Type and default of a field; arguments and result of a method."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A public class, function, type or constant of a module."""

    name: str
    signature: str
    meaning: str
    members: tuple[Member, ...] = ()


def entries(path: Path) -> Iterator[Entry]:
    """Yield what a module makes public, in the order of the source."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = set(_names(tree))
    if path.parent == SOURCES / "api":
        public &= _of_package()
    for node, meaning in _documented(tree.body):
        match node:
            case ast.ClassDef(name=name) if name in public:
                bases = ", ".join(ast.unparse(base) for base in node.bases)
                yield Entry(name, f"class {name}({bases})", ast.get_docstring(node) or "", tuple(_members(node)))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in public:
                yield Entry(name, _function(node), ast.get_docstring(node) or "")
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in public:
                yield Entry(name, f"{name} = {ast.unparse(value)}", meaning)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in public:
                yield Entry(name, f"{name} = {ast.unparse(value)}", meaning)
            case _:
                pass


def snapshot() -> str:
    """Return the whole public API, a line for each name, field and method."""
    lines: list[str] = []
    for path in _modules():
        module = ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts)
        for entry in sorted(entries(path), key=lambda entry: entry.name):
            lines.append(f"{module}: {entry.signature}")
            lines.extend(f"{module}: {entry.name}.{member.name}{_apart(member.signature)}" for member in entry.members)
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page of the types of ``tgllm.api``."""
    titles = dict(ORDER)
    stems = [path.stem for path in sorted((SOURCES / "api").glob("*.py")) if path.stem != "__init__"]
    parts = [HEAD]
    for stem in [*titles, *(stem for stem in stems if stem not in titles)]:
        found = list(entries(SOURCES / "api" / f"{stem}.py"))
        if found:
            parts.append(f"\n## {titles.get(stem, stem.replace('_', ' ').capitalize())}\n")
            parts += [_section(entry) for entry in found]
    return "".join(parts)


def _modules() -> Sequence[Path]:
    folders = ("api", "providers", "providers/streams")
    return [SOURCES / "hookspecs.py", *(path for folder in folders for path in sorted((SOURCES / folder).glob("*.py")))]


def _names(tree: ast.Module) -> Sequence[str]:
    """Return ``__all__``, or the functions of a module without it."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() as value):
                return ast.literal_eval(value)
            case _:
                continue
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


@cache
def _of_package() -> frozenset[str]:
    """Return the names that can be imported from ``tgllm.api`` itself."""
    tree = ast.parse((SOURCES / "api" / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return frozenset(alias.name for node in imports for alias in node.names)


def _documented(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement with the string below it, which documents fields and constants."""
    for node, after in zip(body, [*body[1:], None], strict=True):
        match after:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node, " ".join(text.split())
            case _:
                yield node, ""


def _members(node: ast.ClassDef) -> Iterator[Member]:
    for statement, meaning in _documented(node.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value) if name[0] != "_":
                yield Member(name, f": {_type(annotation)}{_default(value)}", meaning)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name[0] != "_":
                yield Member(name, f" = {ast.unparse(value)}", meaning)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name[0] != "_" or name in {"__init__", "__call__"}:
                    yield Member(name, _arguments(statement), _first(ast.get_docstring(statement) or ""))
            case _:
                pass


def _type(annotation: ast.expr) -> str:
    match annotation:
        case ast.Constant(value=str(quoted)):
            return quoted
        case _:
            return ast.unparse(annotation)


def _default(value: ast.expr | None) -> str:
    match value:
        case None:
            return ""
        case ast.Call(func=ast.Name(id="field"), keywords=[ast.keyword(arg="default_factory")]):
            return " = ..."
        case _:
            return f" = {ast.unparse(value)}"


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return f"def {node.name}{_apart(_arguments(node))}"


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    result = f" -> {_type(node.returns)}" if node.returns else ""
    is_property = any(isinstance(mark, ast.Name) and mark.id == "property" for mark in node.decorator_list)
    if is_property and node.returns:
        return f": {_type(node.returns)} (property)"
    return f"{'async ' * isinstance(node, ast.AsyncFunctionDef)}({ast.unparse(node.args)}){result}"


def _apart(signature: str) -> str:
    return signature if signature.startswith((":", "(")) else f" {signature.strip()}"


def _first(docstring: str) -> str:
    """Return the first paragraph on one line."""
    return " ".join(docstring.split("\n\n", 1)[0].split())


def _section(entry: Entry) -> str:
    text = f"\n### {entry.name}\n\n"
    if entry.meaning:
        text += "\n\n".join(_markdown(part) for part in entry.meaning.split("\n\n")) + "\n"
    if " = " in entry.signature and not entry.members:
        # ``ast`` writes single quotes; the checks of the project want double ones.
        text += f"\n```python\n{entry.signature}\n```\n".replace("'", '"')
    fields = [member for member in entry.members if member.signature.startswith((":", " ="))]
    methods = [member for member in entry.members if member not in fields]
    if fields:
        text += "\n| field | type and default | meaning |\n| --- | --- | --- |\n"
        text += "".join(_row(member, member.signature.removeprefix(": ").strip()) for member in fields)
    if methods:
        text += "\n| method | arguments and result | meaning |\n| --- | --- | --- |\n"
        text += "".join(_row(member, member.signature) for member in methods)
    return text


def _row(member: Member, signature: str) -> str:
    shown = signature.replace("|", r"\|")
    return f"| `{member.name}` | `{shown}` | {_markdown(member.meaning).replace('|', chr(92) + '|')} |\n"


def _markdown(text: str) -> str:
    """Return a paragraph of a docstring as Markdown."""
    return " ".join(text.replace("``", "`").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(SNAPSHOT.write_text(snapshot(), encoding="utf-8") == 0)
