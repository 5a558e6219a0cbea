"""Alerts, spoilers, nested code blocks and footnotes."""

import pytest

from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render, render_draft


def shown(source: str) -> tuple[str, list[tuple[str, str]]]:
    (message,) = render(source, rich="never")
    assert isinstance(message, EntityText)
    data = message.text.encode("utf-16-le")
    entities = [
        (entity.type, data[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"))
        for entity in message.entities
    ]
    return message.text, entities


@pytest.mark.parametrize(
    ("source", "text", "heading"),
    [
        ("> [!NOTE]\n> a **b**", "ℹ️ Note\na b", "ℹ️ Note"),
        ("> [!TIP]\n>\n> a", "💡 Tip\n\na", "💡 Tip"),
        ("> [!important] a\n> b", "❗ Important\na\nb", "❗ Important"),
        ("> [!WARNING]\n> - a\n> - b", "⚠️ Warning\n\n• a\n• b", "⚠️ Warning"),
        ("> [!CAUTION]", "🛑 Caution", "🛑 Caution"),
        ("> [!Question]- a", "Question\na", "Question"),
    ],
)
def test_a_quote_of_a_kind_has_a_heading(source: str, text: str, heading: str) -> None:
    found, entities = shown(source)
    assert found == text
    assert entities[:2] == [("blockquote", text), ("bold", heading)]


@pytest.mark.parametrize("source", ["> [a] b", "> a [!NOTE]", "[!NOTE] a", "> [!1] a", "> `[!NOTE]` a"])
def test_other_quotes_have_none(source: str) -> None:
    assert ("bold", "ℹ️ Note") not in shown(source)[1]


@pytest.mark.parametrize(
    ("source", "text", "hidden"),
    [
        ("||a b||", "a b", ["a b"]),
        ("It was ||Bob||, not ||Al||.", "It was Bob, not Al.", ["Bob", "Al"]),
        ("||**a** b||", "a b", ["a b"]),
        ("||a `b` c||", "a b c", ["a b c"]),
        ("**||a||**", "a", ["a"]),
        ("- ||a||\n- b", "• a\n• b", ["a"]),
        ("a || b || c", "a || b || c", []),
        ("a||b||c", "a||b||c", []),
        ("if (a || b) || c", "if (a || b) || c", []),
        ("`||a||`", "||a||", []),
        ("```\n||a||\n```", "||a||", []),
        ("||a", "||a", []),
        ("a ||\nb||", "a ||\nb||", []),
        ("||a\n\nb||", "||a\n\nb||", []),
        ("|| ||", "|| ||", []),
    ],
)
def test_spoilers_are_hidden_and_operators_are_not(source: str, text: str, hidden: list[str]) -> None:
    found, entities = shown(source)
    assert (found, [inside for kind, inside in entities if kind == "spoiler"]) == (text, hidden)


@pytest.mark.parametrize("table", ["| a || b |\n|-|-|-|\n| 1 | 2 | 3 |", "a || b\n-|-|-\n1 || 2"])
def test_bars_of_tables_are_no_spoilers(table: str) -> None:
    assert [kind for kind, _ in shown(table)[1]] == ["pre"]


@pytest.mark.parametrize(
    ("source", "blocks", "after"),
    [
        ("```markdown\na\n```python\nb\n```\nc\n```\nd", ["a\n```python\nb\n```\nc"], "d"),
        ("```md\n```py\na\n```\n\n```js\nb\n```\n```\nd", ["```py\na\n```\n\n```js\nb\n```"], "d"),
        ("````markdown\n```py\na\n```\n````\nd", ["```py\na\n```"], "d"),
        ("```markdown\n~~~py\na\n~~~\n```\nd", ["~~~py\na\n~~~"], "d"),
        ("```markdown\na\n```\nb\n```bash\nc\n```\nd", ["a", "c"], "d"),
        ("```python\na\n```\nb\n```bash\nc\n```\nd", ["a", "c"], "d"),
        ("- x\n  ```markdown\n  ```py\n  a\n  ```\n  ```\n- d", ["```py\na\n```"], "d"),
        ("```markdown\na\n```py\nb\n```\nd", ["a\n```py\nb"], "d"),
    ],
)
def test_code_blocks_within_markdown_stay_in_it(source: str, blocks: list[str], after: str) -> None:
    text, entities = shown(source)
    assert [inside for kind, inside in entities if kind == "pre"] == blocks
    assert text.endswith(after)


def test_a_growing_code_block_within_markdown_stays_in_it() -> None:
    source = "```markdown\na\n\n```python\nb\n```\n\nc\n```\n"
    for end in range(len("```markdown\na\n\n```python\n"), len(source) - 4):
        draft = render_draft(source[:end])
        assert [entity.type for entity in draft.entities] == ["pre"], source[:end]
        assert draft.entities[0].length == len(draft.text)


def test_a_draft_is_not_completed_behind_code() -> None:
    assert render_draft("```\na\n\nb\n```\nc").text == "a\n\nb\n\nc"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a[^1] b[^note]\n\n[^1]: One.\n[^note]: Two\n    more.", "a[1] b[note]\n\n[1] One.\n\n[note] Two\n  more."),
        ("a[^1]\n\n[^1]: x\n[^2]: unused", "a[1]\n\n[1] x\n\n[2] unused"),
        ("a[^9]", "a[^9]"),
        ("T\n===\n\nS\n---\na", "T\n\nS\n\na"),
        ("a  \nb\\\nc", "a\nb\nc"),
        ("Term\n: meaning", "Term\n: meaning"),
    ],
)
def test_what_else_has_a_structure(source: str, text: str) -> None:
    assert shown(source)[0] == text
