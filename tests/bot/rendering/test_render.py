"""From a model's Markdown to messages."""

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tgllm.bot.rendering.payloads import Entity, EntityText, Payload, RichMessage, RichMode
from tgllm.bot.rendering.render import render, render_beginning, render_draft

Check = Callable[[Payload], None]
Shown = Callable[[Sequence[Payload]], str]

MODES: list[RichMode] = ["auto", "always", "never"]
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

MARKUP = st.text(st.sampled_from("bdé🎉 \n*_`~#>-+1.[]()!|\\$<&"), max_size=60)
LINES = st.lists(
    st.sampled_from(
        ["- ", "1. ", "> ", "  ", "    ", "# ", "```", "~~~", "| b | d |", "|-|-|", "$$", "\\[", "\\]", "\n"]
    )
    | MARKUP,
    max_size=12,
).map("\n".join)
ANYTHING = st.text(max_size=200) | MARKUP | LINES


def texts(payloads: Sequence[Payload]) -> list[EntityText]:
    return [payload for payload in payloads if isinstance(payload, EntityText)]


def only(payloads: Sequence[Payload]) -> EntityText:
    (payload,) = payloads
    assert isinstance(payload, EntityText)
    return payload


def marked(message: EntityText) -> list[tuple[str, str]]:
    """The entities with the text in them."""
    data = message.text.encode("utf-16-le")
    return [
        (entity.type, data[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"))
        for entity in message.entities
    ]


def letters(text: str) -> str:
    return "".join(re.findall("[bdé🎉]", text))


def is_within(needles: str, hay: str) -> bool:
    """Whether all of ``needles`` comes in ``hay``, in that order."""
    rest = iter(hay)
    return all(needle in rest for needle in needles)


@pytest.mark.parametrize("mode", MODES)
def test_nasty_cases_become_valid_messages(nasty: str, mode: RichMode, check_payload: Check) -> None:
    for payload in render(nasty, rich=mode):
        check_payload(payload)


def test_every_prefix_of_a_nasty_case_is_a_valid_draft(nasty: str, check_payload: Check) -> None:
    for end in range(len(nasty) + 1):
        draft = render_draft(nasty[:end])
        if draft.text:
            check_payload(draft)


@pytest.mark.parametrize("mode", MODES)
def test_words_of_nasty_cases_are_shown(nasty: str, mode: RichMode, shown: Shown) -> None:
    said = re.sub(r"\]\(\S*|\"title\"|<[^<>\n]*>|&\w+;|\\\w+|\[\w+\]:", " ", nasty)
    output = shown(render(nasty, rich=mode))
    missing = [word for word in re.findall(r"[^\W\d_]{3,}", said) if word not in output]
    assert missing == []


@relaxed
@given(ANYTHING, st.sampled_from(MODES))
def test_whatever_the_source_the_messages_are_valid(check_payload: Check, source: str, mode: RichMode) -> None:
    for payload in render(source, rich=mode):
        check_payload(payload)


@relaxed
@given(ANYTHING, st.integers(20, 200))
def test_whatever_the_source_its_beginning_is_valid(check_payload: Check, source: str, limit: int) -> None:
    whole, beginning = texts(render(source, rich="never")), texts(render_beginning(source, limit))
    assert len(beginning) == min(len(whole), 1)
    for begins in beginning:
        check_payload(begins)
        assert len(begins.text.encode("utf-16-le")) <= 2 * limit
        assert begins.text.removesuffix(" …") in whole[0].text


@relaxed
@given(ANYTHING)
def test_whatever_the_prefix_the_draft_is_valid(check_payload: Check, prefix: str) -> None:
    draft = render_draft(prefix)
    if draft.text:
        check_payload(draft)


@relaxed
@given(MARKUP | LINES, st.sampled_from(MODES))
def test_no_text_is_lost(shown: Shown, source: str, mode: RichMode) -> None:
    # What follows an opening parenthesis within a link's address is its title, which is not shown.
    assume(not re.search(r"\]\([^)]*[\s<][^)]*\(", source, re.DOTALL))
    assert is_within(letters(source), shown(render(source, rich=mode)))


@relaxed
@given(st.lists(LINES, min_size=30, max_size=60).map("\n\n".join))
def test_no_text_is_lost_in_long_answers(check_payload: Check, shown: Shown, source: str) -> None:
    source += "\n\n```py\n" + "dddd bbbb\n" * 600 + "```\n\n**" + "béb " * 1500 + "** d"
    assume(not re.search(r"\]\([^)]*[\s<][^)]*\(", source, re.DOTALL))
    payloads = render(source, rich="never")
    assert len(payloads) > 1
    for payload in payloads:
        check_payload(payload)
    assert is_within(letters(source), shown(payloads))


def test_formats_become_entities() -> None:
    message = only(render("**b** *i* ~~s~~ `c` [l](https://example.com) 🎉 ***x***\n\n```py\nx = 1\n```"))
    assert marked(message) == [
        ("bold", "b"),
        ("italic", "i"),
        ("strikethrough", "s"),
        ("code", "c"),
        ("text_link", "l"),
        ("bold", "x"),
        ("italic", "x"),
        ("pre", "x = 1"),
    ]
    assert [entity.url for entity in message.entities if entity.url] == ["https://example.com"]
    assert message.as_parameters()["entities"][-1] == {"type": "pre", "offset": 16, "length": 5, "language": "py"}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("# Head\n\ntext", "Head\n\ntext", [("bold", "Head")]),
        ("**a `b` c**", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("> a\n> > b\n> > c\n> d", "a\n\n> b\n> c\n> d", [("blockquote", "a\n\n> b\n> c\n> d")]),
        ("- a\n- b\n  1. c\n\n     d", "• a\n• b\n  1. c\n\n    d", []),
        ("1. a\n   ```\n   b\n     c\n   ```\n2. d", "1. a\nb\n  c\n2. d", [("pre", "b\n  c")]),
        ("List<int> & <y>x</y>", "List<int> & <y>x</y>", []),
        ("a<br>b", "a\nb", []),
        ("one\ntwo", "one\ntwo", []),
        ("a\n\n---\n\nb", "a\n\n———\n\nb", []),
        ("[x](javascript:f)", "x (javascript:f)", [("code", "javascript:f")]),
        ("[x](tg://user?id=1)", "x (tg://user?id=1)", [("code", "tg://user?id=1")]),
        ("[x](mailto:a@b.org) <c@d.org>", "x (a@b.org) c@d.org", []),
        ("![pic](https://e.com/p.png)", "pic", [("text_link", "pic")]),
        ("![](https://e.com/p.png)", "https://e.com/p.png", [("text_link", "https://e.com/p.png")]),
        ("x\n\n[1]: https://e.com", "x\n\n[1]: https://e.com", []),
        ("x [y][1]\n\n[1]: https://e.com", "x y", [("text_link", "y")]),
        ("$5 to $6, $5-$6", "$5 to $6, $5-$6", []),
        ("```x = 1", "x = 1", [("pre", "x = 1")]),
        ("`<think>no</think>`", "<think>no</think>", [("code", "<think>no</think>")]),
        ("", "", []),
    ],
)
def test_what_is_shown(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    payloads = render(source, rich="never")
    message = only(payloads) if payloads else EntityText("")
    assert message.text == text
    assert marked(message) == entities


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Стоит 5$, а не 10$.", "Стоит 5$, а не 10$."),
        ("от 5$/мес до 10$/мес, потом 15$ и 20$/мес", "от 5$/мес до 10$/мес, потом 15$ и 20$/мес"),
        ("**5$** vs **6$**", "5$ vs 6$"),
        ("**$5** vs **$6** and **$7**和**$8**", "$5 vs $6 and $7和$8"),
        ("- 5$, 6$, 7$\n- `8$, 9$`\n\n      10$, 11$", "• 5$, 6$, 7$\n\n• 8$, 9$\n\n10$, 11$"),
        ("$5, or $10-$20", "$5, or $10-$20"),
        ("5$, `a$b` and 7$ end", "5$, a$b and 7$ end"),
        ("export $A=`$B`", "export $A=$B"),
        ("Add $HOME/bin:$PATH to it", "Add $HOME/bin:$PATH to it"),
        ("export A_B=$C_D; it is ~$5–$10 (or $2)", "export A_B=$C_D; it is ~$5–$10 (or $2)"),
        ("PATH=$HOME/bin:$PATH:$GO_PATH/bin", "PATH=$HOME/bin:$PATH:$GO_PATH/bin"),
        ("$HOME/bin$EXT and $A-$B-$(pwd) and $foo/$bar", "$HOME/bin$EXT and $A-$B-$(pwd) and $foo/$bar"),
        ("${HOME}/bin:${PATH}", "${HOME}/bin:${PATH}"),
        ("cp $SRC/a $DST/b", "cp $SRC/a $DST/b"),
        ("$x or $y, $x$5 and $5 and $10", "$x or $y, $x$5 and $5 and $10"),
        ("5 $ or 10 $, $ 5 or $ 10", "5 $ or 10 $, $ 5 or $ 10"),
    ],
)
def test_amounts_of_money_and_variables_of_a_shell_are_no_formulas(source: str, text: str) -> None:
    assert only(render(source)).text == text


@pytest.mark.parametrize(
    "source", ["2$x$ and 3$y_1$", "the $n$th of $k$", "$AB/CD = 2$, so", r"$\alpha$2", "($AB:CD$)", "$x^2-$a"]
)
def test_a_formula_beside_words_and_numbers_is_one(source: str) -> None:
    (message,) = render(source)
    assert isinstance(message, RichMessage)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("| a | b |\n|:-|-:|\n| 🎉x | 1 |", "a   | b\n----+--\n🎉x | 1"),
        (r"so \(x^2 \le \frac{a}{b}\)", "so x² ≤ a/b"),
        ("\\[\na\n- b\n\\]\nend", "a - b\n\nend"),
        (r"$\begin{x}$", r"\begin{x}"),
        ("- [x] a\n- [ ] b", "☑ a\n☐ b"),
        ("<details><summary>S</summary>\n\nbody\n\n</details>", "S\nbody"),
    ],
    ids=["table", "formula", "block formula", "formula beyond us", "tasks", "details"],
)
def test_what_needs_a_rich_message_has_a_plain_form(source: str, text: str, check_payload: Check) -> None:
    assert only(render(source, rich="never")).text == text
    (rich,) = render(source, rich="auto")
    assert isinstance(rich, RichMessage)
    check_payload(rich)
    (step,) = rich.degraded()
    assert step == only(render(source, rich="never"))


def test_plain_prose_is_no_rich_message_unless_asked_for() -> None:
    assert isinstance(render("# just **text**")[0], EntityText)
    assert isinstance(render("# just **text**", rich="always")[0], RichMessage)


def test_a_rich_message_has_the_blocks_of_the_bot_api() -> None:
    source = "# T\n\n| a |\n|:-:|\n| **b** |\n\n3. x\n4. [ ] y\n\n$$z$$ https://e.com."
    (rich,) = render(source)
    cell = {"align": "center", "valign": "top"}
    assert rich.as_parameters()["rich_message"] == {
        "skip_entity_detection": True,
        "blocks": [
            {"type": "heading", "text": "T", "size": 1},
            {
                "type": "table",
                "is_bordered": True,
                "cells": [
                    [cell | {"text": "a", "is_header": True}],
                    [cell | {"text": {"type": "bold", "text": "b"}}],
                ],
            },
            {
                "type": "list",
                "items": [
                    {"blocks": [{"type": "paragraph", "text": "x"}], "value": 3, "type": "1"},
                    {"blocks": [{"type": "paragraph", "text": "y"}], "value": 4, "type": "1", "has_checkbox": True},
                ],
            },
            {
                "type": "paragraph",
                "text": [
                    {"type": "mathematical_expression", "expression": "z"},
                    " ",
                    {"type": "url", "text": "https://e.com", "url": "https://e.com"},
                    ".",
                ],
            },
        ],
    }


def test_steps_down_end_with_the_same_text() -> None:
    (rich,) = render("| a |\n|-|\n| b |\n\n**end**")
    (entities,) = rich.degraded()
    (plain,) = entities.degraded()
    assert isinstance(entities, EntityText)
    assert plain == EntityText(entities.text)
    assert plain.degraded() == ()


def test_code_keeps_its_language_on_both_sides_of_a_cut(check_payload: Check) -> None:
    code = "".join(f"    line {number}\n" for number in range(600))
    messages = texts(render(f"Look:\n\n```py\n{code}```\n\nend"))
    assert len(messages) > 1
    for message in messages:
        check_payload(message)
        assert [(e.type, e.language) for e in message.entities] == [("pre", "py")]
    parts = [inside for message in messages for _, inside in marked(message)]
    assert "\n".join(parts) == code.removesuffix("\n")


def test_emphasis_goes_on_after_a_cut(check_payload: Check) -> None:
    messages = texts(render("**" + "word " * 1500 + "end**"))
    assert len(messages) == 2
    for message in messages:
        check_payload(message)
        assert marked(message) == [("bold", message.text)]


def test_no_message_has_more_than_a_hundred_entities(check_payload: Check) -> None:
    messages = texts(render(" ".join(f"*{number}*" for number in range(250)) + " **" + "`x` y " * 50 + "**"))
    assert [len(message.entities) for message in messages[:2]] == [100, 100]
    for message in messages:
        check_payload(message)
    assert sum(len(message.entities) for message in messages) >= 250 + 50


def test_a_message_is_rather_cut_before_code_than_within(check_payload: Check) -> None:
    code = "```\n" + "x = 1\n" * 300 + "```"
    messages = texts(render("a word or two. " * 190 + "\n\n" + code))
    assert [marked(message)[:1] == [] for message in messages] == [True, False]
    for message in messages:
        check_payload(message)


def test_a_link_is_not_cut(check_payload: Check) -> None:
    messages = texts(render("x" * 4090 + " and [a link of several words](https://e.com)"))
    assert [marked(message) for message in messages] == [[], [("text_link", "a link of several words")]]
    for message in messages:
        check_payload(message)


def test_an_emoji_of_several_parts_is_not_cut() -> None:
    family = "👨‍👩‍👧‍👦"
    messages = texts(render(family * 1000))
    assert "".join(message.text for message in messages) == family * 1000
    assert all(message.text.startswith("👨") and message.text.endswith("👦") for message in messages)


def test_a_long_answer_with_a_table_becomes_several_rich_messages(check_payload: Check, shown: Shown) -> None:
    source = "| a | b |\n|-|-|\n| 1 | 2 |\n\n" + "\n\n".join(
        f"Paragraph {number}. " + "x" * 900 for number in range(100)
    )
    payloads = render(source)
    assert len(payloads) == 4
    assert all(isinstance(payload, RichMessage) for payload in payloads)
    for payload in payloads:
        check_payload(payload)
    assert [int(number) for number in re.findall(r"Paragraph (\d+)", shown(payloads))] == list(range(100))


def test_a_table_too_large_for_a_rich_message_comes_as_text(check_payload: Check, shown: Shown) -> None:
    source = "before\n\n| n |\n|-|\n" + "".join(f"| row{number} |\n" for number in range(600)) + "\nafter $x$"
    payloads = render(source)
    assert [type(payload) for payload in payloads] == [RichMessage, EntityText, EntityText, RichMessage]
    for payload in payloads:
        check_payload(payload)
    assert "row599" in shown(payloads)


@pytest.mark.parametrize("source", ["", " \n", "&nbsp;", "\u200b\u2060", "\u3164", "[]()", "#\n\n>"])
@pytest.mark.parametrize("mode", MODES)
def test_nothing_to_see_gives_no_message(source: str, mode: RichMode) -> None:
    assert render(source, rich=mode) == []


@pytest.mark.parametrize(
    ("prefix", "text", "entities"),
    [
        ("a **bo", "a bo", [("bold", "bo")]),
        ("a **bo `co", "a bo co", [("bold", "bo "), ("code", "co")]),
        ("a `co", "a co", [("code", "co")]),
        ("see [the do", "see the do", []),
        ("see [the docs](https://ex", "see the docs", []),
        ("```py\nx = ", "x =", [("pre", "x =")]),
        ("```py\n**x = [", "**x = [", [("pre", "**x = [")]),
        ("text\n-", "text", []),
        ("a *", "a", []),
        ("", "", []),
    ],
)
def test_what_is_half_written_looks_like_what_it_becomes(
    prefix: str, text: str, entities: list[tuple[str, str]]
) -> None:
    draft = render_draft(prefix)
    assert (draft.text, marked(draft)) == (text, entities)


def test_a_draft_without_anything_to_see_is_empty() -> None:
    assert render_draft("\u200b\u2800") == EntityText("")


def test_a_long_draft_shows_its_end(check_payload: Check) -> None:
    draft = render_draft("start " + "*x* `🎉` " * 3000 + "**the end")
    check_payload(draft)
    assert draft.text.startswith("…")
    assert marked(draft)[-1] == ("bold", "the end")
    assert len(draft.entities) == 100


def test_deep_nesting_is_flattened_and_loses_nothing(check_payload: Check, shown: Shown) -> None:
    for source in (">" * 3000 + " deep", "- " * 500 + "deep", "*a " * 500 + "deep" + "*" * 500, "[" * 5000 + "deep"):
        for mode in MODES:
            payloads = render(source, rich=mode)
            for payload in payloads:
                check_payload(payload)
            assert "deep" in shown(payloads)


def test_halves_of_surrogate_pairs_are_mended() -> None:
    assert only(render("\ud83c\udf89 \ud83c")).text == "🎉 \ufffd"


def test_an_entity_knows_its_form_in_the_bot_api() -> None:
    assert Entity("text_link", 0, 1, url="https://e.com").as_parameter() == {
        "type": "text_link",
        "offset": 0,
        "length": 1,
        "url": "https://e.com",
    }


@pytest.mark.parametrize("mode", ["never", "always"])
def test_code_that_is_indented_with_tabs_stays_indented(shown: Shown, mode: RichMode) -> None:
    output = shown(render("```go\nif x {\n\treturn\t// done\n}\n```", rich=mode))
    assert "if x {\n    return  // done\n}" in output


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("```x``` then \\(a\\)", " then "),
        ("<div>\n> <div>\n> > <div>\n> > > <div>\n> > > > <div> deep", "deep"),
        ("$5 " * 1000, "$5"),
        ("a $x$ b " + "5$ or 10$ " * 300, "10$"),
        ("*a " * 500 + "b" + "*" * 500 + " c", "b"),
        ("> " * 14 + "a\n" + "> " * 14 + "\n" + "> " * 14 + "- b\n" + "> " * 14 + "- c", "b"),
    ],
)
def test_what_is_limited_stays_readable(source: str, text: str, check_payload: Check, shown: Shown) -> None:
    for mode in MODES:
        payloads = render(source, rich=mode)
        for payload in payloads:
            check_payload(payload)
        assert text in shown(payloads)


def test_blocks_nested_too_deep_stay_apart() -> None:
    deep = "> " * 14
    message = only(render(f"{deep}a\n{deep}\n{deep}- b\n{deep}- c", rich="never"))
    assert [line.strip("> ") for line in message.text.splitlines() if line.strip("> ")] == ["a", "b", "c"]


def test_an_address_longer_than_a_message_is_no_link() -> None:
    assert only(render("[x](http://a.b/" + "c" * 3000 + ")")).entities[0].type == "text_link"
    messages = texts(render("[x](http://a.b/" + "c" * 5000 + ")"))
    assert {kind for message in messages for kind, _ in marked(message)} == {"code"}
