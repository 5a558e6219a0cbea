"""Type checkers know the settings of a generic context, and a plain one goes on being one of any settings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tgllm.api import PluginContext

PRELUDE = """
from collections.abc import Sequence
from pydantic import BaseModel
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, JobSpec, PluginContext, Provider, ProviderSpec

class Settings(BaseModel):
    mark: str = "!"
"""
NEW = """
@hookimpl
def tgllm_jobs(ctx: PluginContext[Settings]) -> Sequence[JobSpec]:
    return [JobSpec(ctx.settings.mark.upper(), "A job", "0 4 * * *", run)]

@hookimpl
def tgllm_providers() -> Sequence[ProviderSpec]:
    return [ProviderSpec("a", "A", create)]

def create(ctx: PluginContext[Settings]) -> Provider:
    raise NotImplementedError(ctx.settings.mark)

async def run(ctx: PluginContext[Settings]) -> None:
    reveal_type(ctx.settings)
    await ctx.store.update("n", lambda n: n + 1 if isinstance(n, int) else 1)

async def shout(call: CommandCall) -> str:
    ctx: PluginContext[Settings] = call.context
    return ctx.settings.mark
"""
OLD = """
@hookimpl
def tgllm_jobs(ctx: PluginContext) -> Sequence[JobSpec]:
    assert isinstance(ctx.settings, Settings)
    reveal_type(ctx.settings)
    return [JobSpec(ctx.settings.mark, "A job", "0 4 * * *", run)]

async def run(ctx: PluginContext) -> None:
    await ctx.store.set("n", 1)

async def shout(call: CommandCall) -> str:
    return mark_of(call.context)

def mark_of(ctx: PluginContext) -> str:
    settings = ctx.settings if isinstance(ctx.settings, Settings) else Settings()
    return settings.mark
"""


def test_a_generic_context_is_a_class_at_run_time() -> None:
    assert PluginContext[int].__origin__ is PluginContext  # type: ignore[attr-defined]  typing's


@pytest.mark.parametrize("source", [NEW, OLD], ids=["generic", "plain"])
def test_pyright_in_strict_mode_has_no_complaint_and_knows_the_settings(tmp_path: Path, source: str) -> None:
    (tmp_path / "plugin.py").write_text(PRELUDE + source, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "reportUnusedImport": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert [line["message"] for line in found] == ['Type of "ctx.settings" is "Settings"'], done.stdout
