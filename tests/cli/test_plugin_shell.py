"""What a shell command of a plugin gets: its settings, its store, and safe output."""

import json
from collections.abc import Callable

from cli_support import Shell

PLUGIN = """
import asyncio
import typer
from pydantic import BaseModel
from tgllm import hookimpl
from tgllm.api import PluginInfo

app = typer.Typer()

class Settings(BaseModel):
    cups: int = 1

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="tea", title="Tea", api="1.2", settings=Settings)

@hookimpl
def tgllm_startup(ctx):
    raise RuntimeError("started")

@app.command()
def brew(plugin: str = "tea"):
    pass

@app.command()
def pour(ctx: typer.Context, plugin: str = "tea", as_json: bool = False):
    async def poured():
        async with ctx.obj.plugin(plugin) as context:
            count = (await context.store.get("count") or 0) + context.settings.cups
            await context.store.set("count", count)
            return count
    count = asyncio.run(poured())
    if as_json:
        ctx.obj.json({"count": count})
    else:
        ctx.obj.say("poured \\x1b[31m")
        ctx.obj.table(("Tea", "Cups"), [("green\\u202e", str(count))])
"""

Install = Callable[..., None]


def test_a_command_gets_settings_store_and_safe_output(shell: Shell, install: Install) -> None:
    install("tgllm-tea", PLUGIN, tgllm={"tea": "tgllm_tea"}, tgllm__cli={"tea": "tgllm_tea:app"})
    first = shell.runs("tea", "pour")
    second = shell.runs("tea", "pour", "--as-json")

    assert (first.code, first.err) == (0, "")
    assert first.out == "poured \\x1b[31m\nTea\tCups\ngreen\\u202e\t1\n"
    assert json.loads(second.out) == {"count": 2}


def test_a_plugin_that_is_missing_or_misconfigured_is_named(shell: Shell, install: Install) -> None:
    install("tgllm-tea", PLUGIN, tgllm={"tea": "tgllm_tea"}, tgllm__cli={"tea": "tgllm_tea:app"})
    (shell.folder / "bot.toml").write_text('[plugins.tea]\ncups = "many"\n')

    missing = shell.runs("tea", "pour", "--plugin", "coffee")
    switched_off = shell.runs("--no-plugins", "tea", "pour")
    wrong = shell.runs("--config", str(shell.folder / "bot.toml"), "tea", "pour")

    assert (missing.code, "coffee does not work: it is not installed" in missing.err) == (1, True)
    assert (switched_off.code, "Plugin tea does not work" in switched_off.err) == (1, True)
    assert (wrong.code, "cups" in wrong.err) == (2, True)
