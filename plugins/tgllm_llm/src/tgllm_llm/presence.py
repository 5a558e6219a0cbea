"""What is there of llm on this machine, seen without loading it."""

import os
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Final

from tgllm_llm.settings import Settings

__all__ = ["files", "is_configured", "missing", "packages", "user_dir"]

_FILES: Final = ("keys.json", "extra-openai-models.yaml", "aliases.json")


def packages() -> dict[str, str]:
    """Return the installed plugins of llm and llm itself, with their versions.

    Raises:
        PackageNotFoundError: llm is not installed.
    """
    found = {point.dist.name: point.dist.version for point in entry_points(group="llm") if point.dist is not None}
    return {"llm": version("llm"), **dict(sorted(found.items()))}


def user_dir(settings: Settings) -> Path | None:
    """Return llm's folder where it is set; None for its own choice, which depends on the system."""
    given = settings.user_path or os.environ.get("LLM_USER_PATH", "")
    return Path(given).expanduser() if given else None


def files(settings: Settings) -> dict[str, float]:
    """Return llm's files in its folder with the times of their last changes."""
    import click  # noqa: PLC0415  as small as llm's own way to find the folder, but not needed by most commands

    folder = user_dir(settings) or Path(click.get_app_dir("io.datasette.llm"))
    paths = {name: folder / name for name in _FILES}
    return {name: path.stat().st_mtime for name, path in paths.items() if path.is_file()}


def is_configured(settings: Settings) -> bool:
    """Return whether there may be a model to use: a plugin of llm, a key, or a choice of models.

    A key of OpenAI in the environment alone is there for another program: its models are offered by tgllm-openai, too.
    """
    return bool(
        settings.keys
        or settings.models
        or len(packages()) > 1
        or files(settings).keys() & {"keys.json", "extra-openai-models.yaml"}
    )


def missing() -> str:
    """Return what to do where nothing is configured."""
    return "install a plugin of llm, such as llm-anthropic, or set plugins.llm.models to the models to offer"
