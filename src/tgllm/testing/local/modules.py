"""Modules of a plugin in this process, which are imported anew after a change."""

import importlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

from tgllm.testing.local.files import is_own

__all__ = ["find_first", "forget_compiled", "restore", "take_out"]


def find_first(root: Path) -> None:
    """Let modules be found in a folder before they are found anywhere else."""
    place = str(root)
    if sys.path[:1] != [place]:
        sys.path[:] = [place, *(entry for entry in sys.path if entry != place)]


def take_out(root: Path, names: Iterable[str]) -> dict[str, ModuleType]:
    """Forget the modules of a folder, and those with these names, so that they are imported anew; return them."""
    tops = {name.split(".")[0] for name in names}
    taken = {name: module for name, module in sys.modules.items() if name.split(".")[0] in tops or _is_in(module, root)}
    for name in taken:
        del sys.modules[name]
    importlib.invalidate_caches()
    return taken


def restore(root: Path, names: Iterable[str], taken: dict[str, ModuleType]) -> None:
    """Put modules back in place of those that were imported meanwhile."""
    take_out(root, names)
    sys.modules.update(taken)


def forget_compiled(files: Iterable[Path]) -> None:
    """Delete the compiled forms of files.

    Python takes one for up to date if a file has the same size and was changed in the same second.
    """
    for file in files:
        if file.suffix == ".py":
            with suppress(OSError, NotImplementedError):
                Path(cache_from_source(str(file))).unlink()


def _is_in(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and is_own(Path(file), root)
