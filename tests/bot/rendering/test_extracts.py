"""Code blocks and tables that are worth a file."""

import pytest

from tgllm.bot.rendering.extracts import MOST_EXTRACTS, Code, Table, extracts_of

LINES = "".join(f"line {number}\n" for number in range(5))


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("plain", []),
        (f"```python\n{LINES}```", [Code(LINES, "python")]),
        (f"~~~~ python app.py\n{LINES}~~~\n~~~~", [Code(LINES + "~~~\n", "python app.py")]),
        (f"```\n{LINES}", [Code(LINES, "")]),
        (f"````\n{LINES}```\n````\n", [Code(LINES + "```\n", "")]),
        ("- x:\n  ```py\n" + "  if a:\n      b\n" * 3 + "  ```\nend", [Code("if a:\n    b\n" * 3, "py")]),
        ("1. x:\n\n    ```py\n" + "    if a:\n        b\n" * 3 + "    ```\nend", [Code("if a:\n    b\n" * 3, "py")]),
        (f"  ```\n{LINES}  ```", [Code(LINES, "")]),
        (f"```\na\x0cb\u2028c\x85d\n{LINES}```", [Code(f"a\x0cb\u2028c\x85d\n{LINES}", "")]),
        ("```\r\n" + LINES.replace("\n", "\r\n") + "```", [Code(LINES, "")]),
        ("    ```\n    | a |\n    |---|\n    | 1 |\n    ```", []),
        ("```\nshort\n```", []),
        ("```\n" + "x" * 3000 + "\n```", [Code("x" * 3000 + "\n", "")]),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |\n", [Table([["a", "b"], ["1", "2"]])]),
        ("a | b\n--- | ---\n1 | 2 | 3\n4\n", [Table([["a", "b"], ["1", "2"]])]),
        ("| a | b |\n|---|---|\n| 1 |\n", [Table([["a", "b"], ["1", ""]])]),
        ("| **a** | `b\\|c` |\n|---|---|\n| x<br>y<BR />z | |\n", [Table([["a", "b|c"], ["x\ny\nz", ""]])]),
        ("| a | b |\n|---|---|\n", []),
        ("| a | b |\n|---|\n| 1 | 2 |\n", []),
        ("a | b\nnot a rule\n", []),
        (f"```\n| a |\n|---|\n| 1 |\n{LINES}```", [Code(f"| a |\n|---|\n| 1 |\n{LINES}", "")]),
    ],
)
def test_what_is_found(markdown: str, found: list[object]) -> None:
    assert extracts_of(markdown, 5) == found


def test_only_the_first_are_taken() -> None:
    assert len(extracts_of(f"```\n{LINES}```\n" * 10, 5)) == MOST_EXTRACTS


@pytest.mark.parametrize("line", ["```\n", "|-|\n", "| a | b |\n", "|---|---|\n", "`" * 2000 + "\n", "|" * 2000 + "\n"])
def test_long_texts_are_read_in_linear_steps(line: str) -> None:
    extracts_of(line * (200_000 // len(line)), 5)
