"""Number of modules and lines in each folder of the source tree."""

from collections import Counter
from pathlib import Path

from benchmarks.process import ROOT

__all__ = ["rooms"]


def rooms(root: Path = ROOT / "src" / "tgllm") -> dict[str, tuple[int, int]]:
    """Return the number of modules and lines directly in each folder, by path; ``__init__.py`` counts as a module."""
    modules, lines = Counter[str](), Counter[str]()
    for path in sorted(root.rglob("*.py")):
        folder = path.parent.relative_to(root.parent).as_posix()
        modules[folder] += 1
        lines[folder] += len(path.read_text(encoding="utf-8").splitlines())
    return {folder: (modules[folder], lines[folder]) for folder in sorted(modules)}
