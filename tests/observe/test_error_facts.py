"""Facts of exceptions: kind, place and code, whatever the exception is."""

import pytest

from tgllm.observe.content import CONTENT, handling, texts_of, without_content
from tgllm.observe.errors import CODE_LETTERS, ErrorFacts, code_of, facts_of, read_code, text_of


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001  any error is given
        return caught


class Unprintable(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)

    def __repr__(self) -> str:
        raise ValueError("no")


def nested(depth: int) -> BaseException:
    error: BaseException = BaseExceptionGroup[BaseException]("group", [KeyError("inner")])
    for _ in range(depth):
        error = BaseExceptionGroup[BaseException]("group", [error])
    return error


def too_deep() -> BaseException:
    def again() -> None:
        again()

    try:
        again()
    except RecursionError as error:
        return error
    raise AssertionError


def test_the_place_is_file_and_line_of_the_innermost_own_frame() -> None:
    facts = facts_of(raised(ValueError("bang")), "update.failed", is_own=lambda module: module == __name__)

    assert (facts.kind, facts.message) == ("ValueError", "bang")
    assert facts.place == f"test_error_facts.py:{raised.__code__.co_firstlineno + 2}"
    assert str(facts.frames[-1]).endswith(f"{facts.place} in raised")


def test_the_same_place_has_the_same_code_whatever_the_message_says() -> None:
    first, second = (facts_of(raised(ValueError(f"bang {number}")), "update.failed") for number in range(2))

    assert first.code == second.code


@pytest.mark.parametrize(
    "other",
    [
        facts_of(raised(KeyError("bang")), "update.failed"),
        facts_of(raised(ValueError("bang")), "job.failed"),
        facts_of(raised(ValueError("bang")), "update.failed", "weather"),
        facts_of(ValueError("bang"), "update.failed"),
    ],
    ids=["kind", "event", "plugin", "place"],
)
def test_another_kind_has_another_code(other: ErrorFacts) -> None:
    assert facts_of(raised(ValueError("bang")), "update.failed").code != other.code


def test_without_a_traceback_the_words_tell_kinds_apart_and_numbers_do_not() -> None:
    codes = [facts_of(ValueError(text), "job.failed").code for text in ("no end in 5 s", "no end in 60 s", "refused")]

    assert codes[0] == codes[1] != codes[2]


@pytest.mark.parametrize(
    "error",
    [Unprintable(), nested(50), too_deep(), ValueError("x" * 10_000_000), ValueError("\ud800 half \udfff"),
     BaseExceptionGroup("many", [ValueError(str(number)) for number in range(5_000)])],
    ids=["repr raises", "nested", "recursion", "10 MB", "surrogates", "wide group"],
)  # fmt: skip
def test_any_exception_has_facts_that_can_be_stored(error: BaseException) -> None:
    facts = facts_of(error, "update.failed")

    assert read_code(facts.code) == facts.code
    assert len(facts.message) <= 600
    assert len(facts.frames) <= 30
    for text in (facts.kind, facts.message, facts.place, *facts.causes, *map(str, facts.frames)):
        text.encode()


def test_a_group_counts_as_its_first_member() -> None:
    facts = facts_of(ExceptionGroup("two", [ExceptionGroup("one", [KeyError("a")]), ValueError("b")]), "x")

    assert (facts.kind, facts.message) == ("KeyError", "'a' (and 1 more)")


def test_causes_are_named_and_a_circle_of_causes_ends() -> None:
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first

    assert facts_of(first, "x").causes == ("KeyError: 'second'",)


def test_a_secret_at_the_cut_is_not_shown_in_part() -> None:
    token = "123456789:" + "A" * 35
    for before in range(3_900, 4_050, 7):
        assert "AAAAA" not in text_of(ValueError("x " * (before // 2) + token))


def test_codes_are_short_and_have_no_letters_that_look_alike() -> None:
    assert len(set(CODE_LETTERS)) == 32
    assert not set("01IO") & set(CODE_LETTERS)
    codes = {code_of(str(number)) for number in range(5_000)}
    assert len(codes) == 5_000
    assert {letter for code in codes for letter in code} == {*CODE_LETTERS, "-"}


@pytest.mark.parametrize("typed", ["E7K2-9QXM", "e7k2 9qxm", "e7k29qxm", " E7K2–9QXM "])
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert read_code(typed) == "E7K2-9QXM"


@pytest.mark.parametrize("typed", ["", "2", "E7K2-9QX", "E7K2-9QX0", "E7K2-9QXMM", "ошибка12"])
def test_other_texts_are_no_codes(typed: str) -> None:
    assert read_code(typed) is None


class TestContent:
    def test_what_people_wrote_is_replaced_and_the_rest_stays(self) -> None:
        with handling(lambda: ["My diagnosis is rare\nand private"]):
            shown = without_content("invalid literal for int(): 'My diagnosis is rare\\nand private' in line 3")

        assert shown == f"invalid literal for int(): '{CONTENT}\\n{CONTENT}' in line 3"

    def test_a_short_text_is_replaced_as_a_word(self) -> None:
        with handling(lambda: ["hair", "a"]):
            assert without_content("a chair, no hair: 'hair'") == f"a chair, no {CONTENT}: '{CONTENT}'"

    def test_nothing_is_read_unless_something_fails(self) -> None:
        def read() -> list[str]:
            raise AssertionError

        with handling(read):
            pass
        assert without_content("as it is") == "as it is"

    def test_texts_of_an_update_are_those_that_people_chose(self) -> None:
        payload = (
            '{"message": {"text": "a", "chat": {"type": "private", "first_name": "Ann"}, "photo": [{"file_id": "f"}]}}'
        )

        assert sorted(texts_of(payload)) == ["Ann", "a"]
