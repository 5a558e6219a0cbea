"""Tasks of the rendering process, as JSON."""

from typing import Any

from tgllm.bot.renderer.wire import Task, payloads_to
from tgllm.bot.rendering.render import asks_for_rich, render, render_beginning

__all__ = ["run"]


def run(task: Task, text: str, option: Any) -> Any:  # noqa: ANN401  JSON
    """Return the result of a task.

    Args:
        task: what to do.
        text: Markdown.
        option: of ``render``, the mode of rich messages; of ``beginning``, the limit.

    Raises:
        ValueError: there is no such task.
    """
    match task:
        case "render":
            return payloads_to(render(text, rich=option))
        case "beginning":
            return payloads_to(render_beginning(text, option))
        case "asks_for_rich":
            return asks_for_rich(text)
        case _:
            raise ValueError(task)
