"""Imports aiogram without importing all its modules and building all its models.

aiogram 3 imports 737 modules and completes some 440 pydantic models: most of the CPU time of the import, and 110 of its
165 MiB. A bot uses a few dozen of them. ``prepare`` imports modules when they are first used (``late_modules``). While
it imports, ``model_rebuild`` of the models does nothing; pydantic then completes a model when it is first used (an
incomplete model's validator is a placeholder that calls ``model_rebuild``), and ``_give_names`` gives it the names that
aiogram would have given, with other models built only when a value of them arrives (``late_models``).

This relies on how pydantic 2 treats incomplete models, so it is limited to the tested versions; with others aiogram is
imported the ordinary way.
"""

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Literal, Optional, Union, cast

from packaging.version import Version
from pydantic import BaseModel

from tgllm.bot.telegram.late_models import late_names
from tgllm.bot.telegram.late_modules import late_packages, parts_of

__all__ = ["prepare"]

PYDANTIC = (Version("2.10"), Version("2.14"))
AIOGRAM = (Version("3.29"), Version("4"))


def prepare() -> bool:
    """Import aiogram, deferring its models if the installed versions are tested ones.

    Returns:
        Whether models were deferred.
    """
    if "aiogram" in sys.modules:
        return False
    # aiogram imports aiohttp.
    importlib.import_module("tgllm.providers.connections.late_certificates")
    if not _known_versions():
        return False
    with _deferred_models(), late_packages():
        import aiogram  # noqa: PLC0415  the point of this function
        import aiogram.methods  # noqa: PLC0415  the point of this function
    base = aiogram.methods.base
    _give_names(aiogram.types.base.TelegramObject, base.TelegramMethod, base.Response)
    return True


def _known_versions() -> bool:
    found = Version(version("pydantic")), Version(version("aiogram"))
    return all(low <= it < high for it, (low, high) in zip(found, (PYDANTIC, AIOGRAM), strict=True))


@contextmanager
def _deferred_models() -> Generator[None]:
    """Disable aiogram's calls of ``model_rebuild`` within the block."""
    original = BaseModel.__dict__["model_rebuild"]

    def model_rebuild(cls: type[BaseModel], **options: object) -> bool | None:
        if cls.__module__.startswith("aiogram."):
            return None
        return original.__get__(None, cls)(**options)

    setattr(BaseModel, "model_rebuild", classmethod(model_rebuild))  # noqa: B010  a plain assignment does not type-check
    try:
        yield
    finally:
        setattr(BaseModel, "model_rebuild", original)  # noqa: B010  pyright takes no assignment to a method


def _give_names(*bases: type[BaseModel]) -> None:
    """Let aiogram's models complete themselves with the names that ``aiogram.types`` would have passed."""
    from aiogram import types  # noqa: PLC0415  not before the models are deferred
    from aiogram.client.default import Default  # noqa: PLC0415  not before the models are deferred

    known = {"List": list, "Optional": Optional, "Union": Union, "Literal": Literal, "Default": Default}
    parts = parts_of(types)
    if parts is None:
        names = {name: getattr(types, name) for name in cast("tuple[str, ...]", vars(types)["__all__"])}
    else:
        names = late_names(types, parts)
    names |= known
    original = BaseModel.__dict__["model_rebuild"]

    def model_rebuild(cls: type[BaseModel], **options: object) -> bool | None:
        # What the module of a model, or of its bases, has imported itself need not be late.
        modules = [sys.modules.get(base.__module__) for base in reversed(cls.__mro__)]
        own = {name: value for module in modules if module for name, value in vars(module).items() if name in names}
        return original.__get__(None, cls)(**{"_types_namespace": {**names, **own}, **options})

    for base in bases:
        setattr(base, "model_rebuild", classmethod(model_rebuild))  # noqa: B010  pyright takes no assignment to a method
