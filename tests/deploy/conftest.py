"""The image, built once for all tests."""

import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from images.choice import choose
from images.engine import Engine, Recipe

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv*", ".*_cache", ".coverage*", ".hypothesis", "dist", "build", "htmlcov")
SECRET = "planted-5e1f0c7a"
"""Stands in files of the build's folder that belong to nobody but the operator, and in the secret ``pip.conf``."""
PLANTED = (
    ".env",
    ".env.local",
    "secrets/bot_token",
    "tgllm.db",
    "src/tgllm/.env",
    "src/data/tgllm.db-wal",
    "config.toml",
)
PARROT = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "tgllm-parrot"
        version = "1.2"
        [project.entry-points.tgllm]
        parrot = "tgllm_parrot"
        [tool.hatch.build.targets.wheel]
        packages = ["src/tgllm_parrot"]
        """.replace("        ", ""),
    "src/tgllm_parrot/__init__.py": (
        "from tgllm import hookimpl\nfrom tgllm.api import PluginInfo\n\n\n@hookimpl\ndef tgllm_plugin_info():\n"
        "    return PluginInfo(id='parrot', title='Parrot', api='1.0')\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Built:
    """The image, and what it was built from."""

    engine: Engine
    recipe: Recipe
    secret: str
    """What stands in files of its build that must not be in it."""


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with one plugin more, and with files of an operator that must stay outside."""
    folder = tmp_path_factory.mktemp("context") / "tgllm"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in PLANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"TGLLM_BOT_TOKEN={SECRET}\n")
    for name, text in PARROT.items():
        path = folder / "plugins" / "tgllm_parrot" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="session")
def image(context: Path, pytestconfig: pytest.Config) -> Iterator[Built]:
    """The image that the Dockerfile makes, with a plugin more, built by whichever builder answers."""
    (base,) = re.findall(r"^ARG BASE=(\S+)", (context / "Dockerfile").read_text(), re.MULTILINE)
    recipe = Recipe(context, base, {"PLUGINS": "tgllm-parrot==1.2"}, f"# {SECRET}")
    engine = choose(base)
    try:
        engine.build(recipe)
        capture = pytestconfig.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            size = engine.added_bytes() / 1e6
            print(f"\n{engine.name}: {engine.steps}; {size:.0f} MB on top of {base}")  # noqa: T201  shown in the log of CI
        yield Built(engine, recipe, SECRET)
    finally:
        engine.close()
