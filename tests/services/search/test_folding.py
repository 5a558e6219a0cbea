"""Folded text, and the places of words in the text that it was made of."""

from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.search.folding import fold, normal, spans_of, words_of
from tgllm.services.search.snippets import snippet


def test_case_width_and_yo_do_not_count() -> None:
    assert fold("ЁЖИК Straße Ｆｕｌｌ ﬁne\nline") == "ежик strasse full fine line"
    assert fold("е\u0308ж") == "еж"


def test_a_query_is_split_into_words_and_phrases() -> None:
    assert words_of('Ёжик  "two  Words" ""  "open') == ["ежик", "two words", "open"]
    assert words_of(' "" \u3000 ') == []
    assert len(words_of(" ".join(f"w{number}" for number in range(99)))) == 8


@given(st.text(), st.text(max_size=4))
def test_a_word_is_found_where_the_folded_text_has_it(text: str, part: str) -> None:
    line, words = normal(text + part), words_of(part)
    for span in spans_of(line, words):
        assert 0 <= span.start < span.end <= len(line)
        assert any(word in fold(line[span.start : span.end]) for word in words)
    if words and words[0] in line.translate({}) and words[0] in fold(line):
        assert spans_of(line, words)


@given(st.text(), st.text(max_size=5), st.integers(20, 60))
def test_a_snippet_is_one_line_with_its_spans_inside(text: str, part: str, length: int) -> None:
    shown = snippet(text + part, words_of(part), length)
    assert len(shown.text) <= length + 2
    assert "\n" not in shown.text
    for span in shown.spans:
        assert 0 <= span.start < span.end <= len(shown.text)


def test_a_snippet_stands_around_the_first_word() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen"
    shown = snippet(text, ["eight"], 30)
    assert shown.text == "…seven eight nine ten eleven tw…"
    assert [shown.text[span.start : span.end] for span in shown.spans] == ["eight"]
