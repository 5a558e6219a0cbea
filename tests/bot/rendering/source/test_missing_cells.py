"""Rows of tables that have more cells than their header."""

import pytest

from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render

HEADER = "| a | b |\n|---|---|\n"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `x | y` | or |", ["x | y", "or"]),
        ("| $|x|$ | $P(A|B)$ |", ["|x|", "P(A|B)"]),
        ("| \\(|x|\\) | **`y|z`** |", ["|x|", "y|z"]),
        ("| `x \\| y` | `y|z` |", ["x | y", "y|z"]),
        # Bars of cells.
        ("| $5 | $6 |", ["$5", "$6"]),
        ("|$5|$6|", ["$5", "$6"]),
        ("| `x | y` |", ["`x", "y`"]),
        ("| $5 | $6 | $7 |", ["$5", "$6 | $7"]),
        ("| `x` | y | `z` |", ["x", "y | `z`"]),
    ],
)
def test_bars_in_code_and_formulas_are_no_cells_of_a_row_that_has_too_many(row: str, cells: list[str]) -> None:
    (message,) = render(HEADER + row, rich="never")
    assert isinstance(message, EntityText)
    line = message.text.splitlines()[-1]
    left = line[: len(message.text.splitlines()[1].partition("+")[0])]
    assert [left.strip(), line[len(left) :].strip().removeprefix("|").strip()] == cells
