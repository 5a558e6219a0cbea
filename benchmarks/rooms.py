"""Folders of the source tree: how many modules and lines each holds."""

from collections import Counter
from pathlib import Path

from benchmarks.process import ROOT

__all__ = ["rooms"]


def rooms(root: Path = ROOT / "src" / "tgllm") -> dict[str, tuple[int, int]]:
    """Return the modules and lines that each folder holds directly, by its path; ``__init__.py`` is a module too."""
    modules, lines = Counter[str](), Counter[str]()
    for path in sorted(root.rglob("*.py")):
        folder = path.parent.relative_to(root.parent).as_posix()
        modules[folder] += 1
        lines[folder] += len(path.read_text(encoding="utf-8").splitlines())
    return {folder: (modules[folder], lines[folder]) for folder in sorted(modules)}
