"""Built-in plugin with the tools ``calculator`` and ``clock``, which read nothing and change nothing."""

from typing import Final

from tgllm import hookimpl
from tgllm.api.context import PluginContext, PluginInfo
from tgllm.api.errors import ToolFailed
from tgllm.api.tools import ToolHandler, ToolSpec, ToolUse
from tgllm.api.types import JsonObject

__all__ = ["tgllm_plugin_info", "tgllm_tools"]

_SECONDS: Final = 5.0
_CALCULATOR: Final = (
    "Calculates exactly. Use it for arithmetic beyond small whole numbers. Operators: + - * / // % ** !, brackets; "
    "15% is 0.15, and '15% of 80' works. Functions: sqrt, round(x, places), log, ln, sin (radians), mean, gcd and "
    "others; constants pi and e. No variables, no units, no commas in numbers."
)
_CLOCK: Final = (
    "Tells the current date, time and weekday in the time zone of the person who asks, or in another one; tells the "
    "weekday of a date, counts the days between two dates, and adds days, weeks, months or years to a date."
)
_UNITS: Final = ("days", "weeks", "months", "years")
_DATE: Final = "such as 2030-12-24 or 2030-12-24T18:30"


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's id and title."""
    return PluginInfo(id="basic_tools", title="Calculator and clock", api="1.2")


@hookimpl
def tgllm_tools(ctx: PluginContext) -> tuple[ToolSpec, ...]:
    """Return the two tools."""
    expression: JsonObject = {"type": "string", "description": "for example 2*(3+4)/sqrt(2)"}
    return (
        _tool(ctx, "calculator", _CALCULATOR, _calculate, {"expression": expression}, ("expression",)),
        _tool(
            ctx,
            "clock",
            _CLOCK,
            _tell,
            {
                "timezone": {"type": "string", "description": "IANA name or offset; default: that of the person"},
                "date": {"type": "string", "description": f"a date, {_DATE}; default: now"},
                "until": {"type": "string", "description": f"a second date, {_DATE}"},
                "add": {"type": "integer", "description": "how many units to add to the date; may be negative"},
                "unit": {"type": "string", "enum": [*_UNITS], "description": "unit of add; default: days"},
            },
        ),
    )


def _tool(
    ctx: PluginContext,
    name: str,
    description: str,
    handler: ToolHandler,
    properties: JsonObject,
    required: tuple[str, ...] = (),
) -> ToolSpec:
    key = f"tool.{name}"
    return ToolSpec(
        name,
        description,
        handler,
        {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False},
        danger="read",
        access="guest",
        timeout=_SECONDS,
        title=ctx.texts(key),
        titles={"ru": ctx.texts(key, "ru")},
    )


async def _calculate(use: ToolUse) -> str:
    # Loaded at the first call: shell commands load this module, and never calculate.
    from tgllm.plugins.builtin.tools.expression import calculate, written  # noqa: PLC0415  lazy, see above
    from tgllm.plugins.builtin.tools.numbers import CannotCalculate  # noqa: PLC0415  lazy, see above

    expression = str(use.arguments["expression"])
    try:
        return f"{expression.strip()} = {written(calculate(expression))}"
    except CannotCalculate as error:
        raise ToolFailed(str(error)) from error


async def _tell(use: ToolUse) -> str:
    from tgllm.plugins.builtin.tools.clock import CannotTell, told  # noqa: PLC0415  lazy, as above

    seconds = use.context.clock.now()
    try:
        return told(use.arguments, seconds, use.user.timezone, use.context.timezone)
    except CannotTell as error:
        raise ToolFailed(str(error)) from error
