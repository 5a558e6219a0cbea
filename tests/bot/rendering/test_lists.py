"""Lists as models indent them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgllm.bot.rendering.payloads import EntityText, RichMessage
from tgllm.bot.rendering.render import render, render_draft
from tgllm.bot.rendering.source.lists import with_even_lists

MARKERS = ["- ", "* ", "+ ", "• ", "1. ", "2. ", "10) ", "- [ ] ", "-", "", "```", "~~~", "> ", "# ", "| "]
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", " ", "  ", "   ", "    ", "     ", "\t", "        ", "> ", ">  "]),
        st.sampled_from(MARKERS),
        st.sampled_from(["a", "b", "", "- c", "1. d"]),
    ).map("".join),
    min_size=1,
    max_size=12,
)


def shown(source: str) -> str:
    """The text of the answer; its draft shows the same."""
    (payload,) = render(source, rich="never")
    assert isinstance(payload, EntityText)
    assert render_draft(source) == payload
    return payload.text


@pytest.mark.parametrize("indent", [" ", "  ", "   ", "    ", "     ", "\t"])
def test_bullets_under_numbers_are_nested_however_they_are_indented(indent: str) -> None:
    source = f"1. a\n{indent}- b\n{indent}- c\n2. d\n{indent}- e"
    assert shown(source) == "1. a\n  • b\n  • c\n2. d\n  • e"


@pytest.mark.parametrize("indent", ["  ", "   ", "    ", "     ", "\t"])
@pytest.mark.parametrize("mark", ["-", "*", "+", "•"])
def test_bullets_are_nested_however_they_are_indented(indent: str, mark: str) -> None:
    source = f"{mark} a\n{indent}{mark} b\n{indent * 2}{mark} c\n{indent}{mark} d\n{mark} e"
    assert shown(source) == "• a\n  • b\n    • c\n  • d\n• e"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("- a\n  1. b\n  2. c\n- d", "• a\n  1. b\n  2. c\n• d"),
        ("- a\n 1. b\n 2. c\n- d", "• a\n  1. b\n  2. c\n• d"),
        ("* a\n    1. b\n    2. c\n* d", "• a\n  1. b\n  2. c\n• d"),
        ("1. a\n  1. b\n  2. c\n2. d", "1. a\n  1. b\n  2. c\n2. d"),
        ("1. a\n 1. b\n 2. c\n2. d", "1. a\n  1. b\n  2. c\n2. d"),
        ("1. a\n   1. b\n      1. c\n2. d", "1. a\n  1. b\n    1. c\n2. d"),
        ("10. a\n  - b\n11. c", "10. a\n  • b\n11. c"),
        ("1. a\n- x\n- y\n2. b\n- z", "1. a\n  • x\n  • y\n2. b\n  • z"),
        ("- a\n1. x\n2. y\n- b", "• a\n  1. x\n  2. y\n• b"),
        ("- a\n        - b", "• a\n  • b"),
        ("- a\n* b\n+ c", "• a\n• b\n• c"),
        ("• a\n  ◦ b\n• c", "• a\n  • b\n• c"),
        (" 9. a\n10. b", "9. a\n10. b"),
        ("- a\n - b\n- c", "• a\n• b\n• c"),
        ("> 1. a\n>   - b\n> 2. c", "1. a\n  • b\n2. c"),
        ("Text:\n\n    - a\n    - b", "Text:\n\n• a\n• b"),
        ("1. a\n  * [x] b\n  * [ ] c\n2. d", "1. a\n  ☑ b\n  ☐ c\n2. d"),
        ("1. a\n\n  - b\n\n  - c\n\n2. d", "1. a\n\n  • b\n\n  • c\n\n2. d"),
        ("- a\n- - -\n- b", "• a\n\n———\n\n• b"),
    ],
)
def test_lists_keep_their_nesting(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("3. a\n4. b", "3. a\n4. b"),
        ("3. a\n2. b\n1. c", "3. a\n2. b\n1. c"),
        ("1. a\n3. b\n7. c", "1. a\n3. b\n7. c"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("0. a\n1. b", "0. a\n1. b"),
        ("1) a\n2) b", "1) a\n2) b"),
        ("1. a\n\n```\nx\n```\n\n2. b", "1. a\n\nx\n\n2. b"),
        ("1. a\n\n```\nx\n```\n\n1. b", "1. a\n\nx\n\n1. b"),
        ("1. a\n```\nx\n```\n2. b", "1. a\n\nx\n\n2. b"),
        ("1. a\n\ntext\n\n2. b\n\ntext\n\n3. c", "1. a\n\ntext\n\n2. b\n\ntext\n\n3. c"),
    ],
)
def test_lists_keep_their_numbers(source: str, text: str) -> None:
    assert shown(source) == text


def test_rich_lists_have_the_same_numbers() -> None:
    (message,) = render("3. a\n  - b\n1. c", rich="always")
    assert isinstance(message, RichMessage)
    (rich,) = message.blocks
    assert [item["value"] for item in rich["items"]] == [3, 1]
    assert rich["items"][0]["blocks"][1]["type"] == "list"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1. a\n\n  text\n\n2. b", "1. a\n\n  text\n\n2. b"),
        ("- a\n  - b\n\n  text\n- c", "• a\n\n  • b\n\n  text\n\n• c"),
        ("1. a\n  ```py\n  if x:\n      y\n  ```\n2. b", "1. a\nif x:\n    y\n2. b"),
        ("1. a\n   ```py\n x\n   y\n   ```\n2. b", "1. a\nx\ny\n2. b"),
        ("1. a\n   ```py\n   x\n```\n2. b", "1. a\nx\n2. b"),
        ("1. a\n    ```py\n    x\n    ```\n2. b", "1. a\nx\n2. b"),
        ("1. ```py\n   x\n   ```\n2. b\n\n# T", "1. \nx\n2. b\n\nT"),
        ("1. ```py\nx\n```\n2. b", "1. \nx\n2. b"),
        ("- ```py\n  if x:\n      - y\n  ```\n  c\n- b", "• \nif x:\n    - y\n  c\n• b"),
        ("1. - ~~~\n     x\n     ~~~\n   - b\n2. c", "1. \n  • \nx\n  • b\n2. c"),
        ("1. a\n  | x | y |\n  |---|---|\n  | 1 | 2 |\n2. b", "1. a\nx | y\n--+--\n1 | 2\n2. b"),
        ("1. a\n  > q\n2. b", "1. a\n  q\n2. b"),
        ("- a\n\n      code\n- b", "• a\n\ncode\n\n• b"),
        ("```yaml\n- a:\n   - b\n - c\n```", "- a:\n   - b\n - c"),
        ("a\n\n    x = [\n     - 1\n    ]", "a\n\nx = [\n - 1\n]"),
    ],
)
def test_what_stands_in_an_item_stays_in_it(source: str, text: str) -> None:
    assert shown(source) == text


@settings(deadline=None)
@given(LINES)
def test_only_indentation_and_bullets_change(lines: list[str]) -> None:
    bullets = str.maketrans("•*+", "---")
    for line, made in zip(lines, with_even_lists("\n".join(lines)).split("\n"), strict=True):
        assert "".join(made.split()).translate(bullets) == "".join(line.split()).translate(bullets)
