"""A tool of the demo that would be dangerous if it did what it says."""

from collections.abc import Sequence
from typing import Final

from tgllm import hookimpl
from tgllm.api.context import PluginInfo
from tgllm.api.tools import Source, ToolOutput, ToolSpec, ToolUse
from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.scripted import GivenPlugin

__all__ = ["DEMO_TOOLS", "DEMO_TOOL_RULES"]

_STEPS: Final = ("choosing tomatoes", "folding the box")
_STEP_SECONDS: Final = 0.8

DEMO_TOOL_RULES: Final = {"order_pizza": {"private": "user", "groups": "user"}}
"""Opens the tool, since tools that do more than read are closed by default."""


class _DemoTools:
    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="demo_tools", title="Demo tools", api="1.2")

    @hookimpl
    def tgllm_tools(self) -> Sequence[ToolSpec]:
        return (
            ToolSpec(
                "order_pizza",
                "Orders a pizza. In this demo, it orders nothing and costs nothing.",
                _order,
                {
                    "type": "object",
                    "properties": {
                        "pizza": {"type": "string"},
                        "count": {"type": "integer", "minimum": 1, "maximum": 20},
                        "note": {"type": "string"},
                    },
                    "required": ["pizza"],
                },
                danger="dangerous",
                title="🍕 ordering a pizza",
                titles={"ru": "🍕 заказываю пиццу"},
            ),
        )


async def _order(use: ToolUse) -> ToolOutput:
    for done, step in enumerate(_STEPS, 1):
        use.progress(step, done, len(_STEPS))
        await use.context.clock.sleep(_STEP_SECONDS)
    pizza, count = use.arguments["pizza"], use.arguments.get("count", 1)
    return ToolOutput(
        f"Ordered: {count} {pizza}. This is a demo, so nothing was really ordered.",
        sources=(Source("https://en.wikipedia.org/wiki/Pizza", "Pizza - Wikipedia"),),
    )


DEMO_TOOLS: Final[FoundPlugin] = GivenPlugin.of("demo_tools", _DemoTools())
"""The plugin."""
