"""Tests of the plugin's metadata and imports, of its models, and of a missing key."""

import asyncio
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tgllm.api import ModelInfo
from tgllm.plugins.discovery import FoundPlugin, discover
from tgllm.testing.conformance.checking import check
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.loading import import_plugin, loaded, plugin_info
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.conformance.subject import Subject

__all__ = ["IdentityTests", "libraries_of"]

_MIME_TYPE = re.compile(r"[\w.+-]+/([\w.+-]+|\*)|\*/\*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d|")
_PROBE = """
import importlib, json, sys
import pydantic, tgllm.api
pydantic.SecretStr, pydantic.BaseModel, pydantic.Field
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.split(".")[0] for name in set(sys.modules) - before})))
"""
_IMPORT_SECONDS = 60.0


class IdentityTests(Kit):
    """The plugin's metadata and its models."""

    async def test_the_plugin_loads_in_the_bot(self, tmp_path: Path) -> None:
        """The host loads the plugin: its ids are valid and unique."""
        service = self.under_test()
        async with service, loaded(self.plugin, service.settings, tmp_path, RecordedLog()) as owned:
            check(owned.spec.title, f"the provider {owned.spec.id} has no title for people")

    async def test_its_entry_point_leads_to_it(self) -> None:
        """If the plugin is installed, the entry point named by its id loads it."""
        plugin, info = import_plugin(self.plugin), plugin_info(self.plugin)
        points = [found for found in discover() if info.id == found.id or found.value == self.plugin]
        listed = ", ".join(f"{found.id} = {found.value} of {found.package}" for found in points)
        leads = any(found.id == info.id and _loads(found, plugin) for found in points)
        check(leads or not points, f"{info.id} = {self.plugin} is none of the entry points: {listed}")

    async def test_the_plugin_module_loads_no_sdk(self) -> None:
        """Importing the plugin is fast: ``create`` imports large libraries, not the plugin's module."""
        heavy = await asyncio.to_thread(libraries_of, self.plugin) - self.allowed_imports
        check(
            not heavy,
            f"importing {self.plugin} imports {', '.join(sorted(heavy))}: import it in create, or name it in "
            "allowed_imports if it is as quick as a module of the standard library",
        )

    async def test_the_models_are_valid(self, subject: Subject) -> None:
        """``list_models`` returns models with unique names and valid numbers; one of them is the model under test."""
        models = await subject.provider.list_models()
        names = [name for model in models for name in (model.id, *model.aliases)]
        check(models, "list_models is empty: raise an error if the list can't be had")
        check(len(set(names)) == len(names), f"two models have the same id or alias: {sorted(names)}")
        check(subject.service.model in names, f"{subject.service.model} is not among the models: {sorted(names)}")
        problems = [problem for model in models for problem in _problems(model)]
        check(not problems, "; ".join(problems))


def _loads(found: FoundPlugin, plugin: object) -> bool:
    try:
        return found.load() is plugin
    except (AttributeError, ImportError):
        return False


def libraries_of(plugin: str) -> frozenset[str]:
    """Return the libraries that a new Python process loads for a plugin, without those that the bot has loaded."""
    known = {"pluggy", "pydantic", "pydantic_core", "tgllm", plugin.partition(".")[0].partition(":")[0]}
    return _libraries_of(plugin.partition(":")[0]) - known - sys.stdlib_module_names


@functools.cache
def _libraries_of(module: str) -> frozenset[str]:
    """Return the top-level packages that a new Python process loads for a module."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _PROBE, module]
    done = subprocess.run(  # noqa: S603  this Python, with the module's name as an argument
        command, capture_output=True, text=True, timeout=_IMPORT_SECONDS, check=False, env=environment
    )
    check(done.returncode == 0, f"{module} can't be imported on its own: {done.stderr}")
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def _problems(model: ModelInfo) -> Iterable[str]:
    for name in (model.id, *model.aliases):
        if not name or any(sign.isspace() or not sign.isprintable() for sign in name):
            yield f"{name!r} is no name of a model: it is empty, or has white space in it"
    for field in ("context_window", "max_output_tokens"):
        value = getattr(model, field)
        if value is not None and not (isinstance(value, int) and value > 0):
            yield f"{field} of {model.id} is {value!r}: it is a number of tokens, or None where it is not known"
    wrong = sorted(kind for kind in model.mime_types if not _MIME_TYPE.fullmatch(kind))
    if wrong:
        yield f"mime_types of {model.id} has {', '.join(wrong)}: write them like image/png or image/*"
    if (price := model.price) is not None:
        if min(price.input, price.output, price.cached or 0.0) < 0:
            yield f"the price of {model.id} is negative"
        if not _DAY.fullmatch(price.as_of):
            yield f"the price of {model.id} is as of {price.as_of!r}: write it like 2026-01-31"
