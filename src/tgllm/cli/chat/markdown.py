"""Markdown as lines for a terminal, by rich."""

import io
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from tgllm.observe.visible import visible

__all__ = ["MarkdownRenderer", "last_block"]

_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
_TRAILING: Final = re.compile(r"[ \t]+((?:\x1b\[[0-9;]*m)*)$")
LEAST_WIDTH: Final = 16
"""Narrower terminals show the text as it is."""
LEAST_CELL: Final = 5
_THEME = Theme({"markdown.code": "cyan", "markdown.code_block": "cyan", "markdown.h1": "bold", "markdown.h2": "bold"})
"""Without backgrounds, which are unreadable in half of the terminals."""


class _LeftHeading(Heading):
    """Heading at the left; rich centres it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _WholeLines(CodeBlock):
    """Code without a frame, and with its lines as they are: copied out of the terminal, it is the code."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        text = _highlighted(code, self.lexer_name)
        if options.max_width < console.width:
            # In a list or a quotation, rich cuts off what is too wide.
            text.no_wrap, text.overflow = False, "fold"
            yield text
            return
        for line in text.split("\n", allow_blank=True):
            line.no_wrap, line.overflow = True, "ignore"
            yield line


class _WholeCells(TableElement):
    """Table whose cells are never cut off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                for column in table.columns:
                    column.overflow = "fold"
            yield table


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _LeftHeading,
        "fence": _WholeLines,
        "code_block": _WholeLines,
        "table_open": _WholeCells,
    }


class MarkdownRenderer:
    """Renders Markdown to lines with the colours of a terminal."""

    def __init__(self, *, color_system: Any = "auto", no_color: bool = False) -> None:  # noqa: ANN401  rich's own names
        """Create a renderer; the arguments are those of ``rich.console.Console``."""
        self._color_system = color_system
        self._no_color = no_color

    def lines(self, text: str, width: int, *, crop: bool = False) -> Sequence[str]:
        """Return the lines of a text, without those that are empty at its ends.

        Args:
            text: Markdown of any source; what a terminal would act on becomes visible.
            width: of the terminal.
            crop: whether lines that are wider, such as code, are cut off; otherwise the terminal wraps them.
        """
        shown = visible(text)
        try:
            lines = self._rendered(shown, max(1, width), crop=crop)
        except Exception:  # noqa: BLE001  a case that rich can't render must not cost the answer
            lines = None
        if lines is None:
            # The terminal wraps it.
            lines = [line[: max(1, width)] if crop else line for line in shown.split("\n")]
        while lines and _is_blank(lines[0]):
            lines.pop(0)
        while lines and _is_blank(lines[-1]):
            lines.pop()
        return lines

    def _rendered(self, text: str, width: int, *, crop: bool) -> list[str] | None:
        markdown = _Markdown(text, hyperlinks=False)
        if _room_needed(markdown) > width:
            return None
        out = io.StringIO()
        console = Console(
            file=out,
            force_terminal=True,
            force_interactive=False,
            color_system=self._color_system,
            no_color=self._no_color,
            width=width,
            legacy_windows=False,
            theme=_THEME,
            highlight=False,
            emoji=False,
        )
        console.print(markdown, crop=crop)
        return [_TRAILING.sub(r"\1", line) for line in out.getvalue().split("\n")]


def _is_blank(line: str) -> bool:
    return not _STYLE.sub("", line).strip()


def _room_needed(markdown: Markdown) -> int:
    """Return the least width in which rich leaves nothing out: of lists in lists, and of tables with many columns."""
    columns, most, deepest = 0, 0, 0
    for token in markdown.parsed:
        deepest = max(deepest, token.level)
        if token.type == "tr_open":
            columns = 0
        elif token.type in {"th_open", "td_open"}:
            columns += 1
            most = max(most, columns)
    return LEAST_WIDTH + 2 * deepest + LEAST_CELL * most


def last_block(text: str) -> int:
    """Return where the last block of a Markdown text begins; 0 if it has only one.

    The blocks before it are complete: what is appended to the text doesn't change them.
    """
    starts = [token.map[0] for token in Markdown(text).parsed if token.level == 0 and token.map is not None]
    if not starts or not starts[-1]:
        return 0
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: starts[-1]])


def _highlighted(code: str, lexer: str) -> Text:
    from rich.syntax import Syntax  # noqa: PLC0415  pygments is slow to import, and most answers hold no code

    try:
        text = Syntax(code, lexer, theme="ansi_dark", background_color="default").highlight(code)
    except Exception:  # noqa: BLE001  a lexer of pygments that fails must not cost the answer
        return Text(code)
    text.rstrip()
    return text
