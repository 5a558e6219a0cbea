"""Packages of aiogram whose modules are imported when a name of them is first used.

``aiogram.types`` and ``aiogram.methods`` have more than 600 modules, of which a bot uses some sixty. Their
``__init__`` modules only list names. While ``late_packages`` is active, such a package is created from that list, with
an ``__getattr__`` in place of the imports (PEP 562). A package whose ``__init__`` module does anything else is imported
the ordinary way.

``aiogram.client.bot`` imports all methods at once, to call them in its own methods. It gets stand-ins, each of which
imports its class when it is called.
"""

import ast
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final

__all__ = ["late_packages", "listed_in", "parts_of"]

PACKAGES: Final = frozenset(f"aiogram.{name}" for name in ("enums", "filters", "handlers", "methods", "types"))
_BOT: Final = "aiogram.client.bot"
_BOT_NEEDS: Final = ("aiogram.client.session.aiohttp", "aiogram.client.default", "aiogram.utils.token")
"""What that module imports besides: these modules get the classes themselves."""
_BOT_USES: Final = ("aiogram.methods", "aiogram.types")
_SLOT: Final = "__parts__"


@dataclass(frozen=True, slots=True)
class Listed:
    """What an ``__init__`` module exports."""

    names: Sequence[str]
    """``__all__``."""
    parts: Mapping[str, tuple[str, str]]
    """For each name, the module inside the package, and the name there."""


def listed_in(source: str) -> Listed | None:
    """Return what an ``__init__`` module exports; None if it does more than that.

    Assignments to private names don't count as more, nor does the loop in which aiogram completes its models.
    """
    parts: dict[str, tuple[str, str]] = {}
    names: tuple[str, ...] = ()
    for statement in ast.parse(source).body:
        match statement:
            case ast.ImportFrom(module=str(module), names=found, level=1) if "." not in module:
                parts |= {each.asname or each.name: (module, each.name) for each in found}
            case ast.ImportFrom(module="typing"):
                pass
            case ast.ImportFrom(names=found) if all((each.asname or "").startswith("_") for each in found):
                pass
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.Tuple() | ast.List() as value):
                names = tuple(ast.literal_eval(value))
            case ast.Assign(targets=[ast.Name(name)], value=ast.Name(other)) if other in parts:
                parts[name] = parts[other]
            case ast.Assign(targets=[ast.Name(name)]) if name.startswith("_"):
                pass
            case ast.For(iter=ast.Name("__all__")) if "model_rebuild" in ast.unparse(statement):
                pass
            case ast.Delete() | ast.Expr(ast.Constant()):
                pass
            case _:
                return None
    modules = {module for module, _ in parts.values()}
    return Listed(names, parts) if names and parts.keys() >= set(names) and not modules & parts.keys() else None


def parts_of(package: ModuleType) -> Mapping[str, tuple[str, str]] | None:
    """Return the names of a late package and where they are; None if the package was imported the ordinary way."""
    found: Mapping[str, tuple[str, str]] | None = vars(package).get(_SLOT)
    return found


@contextmanager
def late_packages() -> Generator[None]:
    """Within the block, create the packages when they are imported; they stay as they are afterwards."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in PACKAGES and fullname != _BOT:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return spec
        if fullname == _BOT:
            spec.loader = _BotLoader(fullname, spec.loader.path)
            return spec
        listed = listed_in(spec.loader.get_source(fullname) or "")
        if listed is not None:
            spec.loader = _PackageLoader(fullname, spec.loader.path, listed)
        return spec


class _PackageLoader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, listed: Listed) -> None:
        super().__init__(fullname, path)
        self._listed = listed

    def exec_module(self, module: ModuleType) -> None:
        package, parts = module.__name__, self._listed.parts
        modules = {name for name, _ in parts.values()}

        def look_up(name: str) -> object:
            if name in modules:
                return import_module(f"{package}.{name}")
            if name not in parts:
                raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=module)
            inner, there = parts[name]
            value = getattr(import_module(f"{package}.{inner}"), there)
            setattr(module, name, value)
            return value

        vars(module).update(
            {
                "__all__": self._listed.names,
                "__getattr__": look_up,
                "__dir__": lambda: sorted({*vars(module), *parts, *modules}),
                _SLOT: parts,
            }
        )


class _BotLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        for name in _BOT_NEEDS:
            import_module(name)
        packages = [package for package in map(import_module, _BOT_USES) if parts_of(package) is not None]
        placed: list[tuple[ModuleType, str]] = []
        try:
            for package in packages:
                for name in (parts_of(package) or {}).keys() - vars(package).keys():
                    setattr(package, name, _StandIn(package, name))
                    placed.append((package, name))
            super().exec_module(module)
        finally:
            for package, name in placed:
                # A real class is there if something needed it meanwhile.
                if isinstance(vars(package).get(name), _StandIn):
                    delattr(package, name)


class _StandIn:
    """A class of aiogram that is not imported yet, in annotations and calls."""

    def __init__(self, package: ModuleType, name: str) -> None:
        self._package = package
        self._name = name

    def __call__(self, *args: Any, **fields: Any) -> Any:  # noqa: ANN401  as the class
        return getattr(self._package, self._name)(*args, **fields)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  of the class
        return getattr(getattr(self._package, self._name), name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, getattr(self._package, self._name))

    def __repr__(self) -> str:
        return f"<{self._package.__name__}.{self._name}, not imported yet>"
