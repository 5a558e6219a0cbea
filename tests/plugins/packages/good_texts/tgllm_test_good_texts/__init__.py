"""Brings texts of its own."""

from pathlib import Path

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginContext, PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="good_texts", title="Good texts", api="1.0", texts=Path(__file__).parent / "texts")


@hookimpl
def tgllm_commands(ctx: PluginContext) -> list[ChatCommand]:
    descriptions = {"de": ctx.texts("good_texts.count.about", "de")}
    return [ChatCommand("count", ctx.texts("good_texts.count.about"), count, descriptions=descriptions)]


async def count(call: CommandCall) -> str:
    texts, language = call.context.texts, call.user.language
    sheep = texts("good_texts.sheep", language, count=int(call.args))
    return f"{sheep} {texts('good_texts.only_english', language, name=call.user.name)}"
