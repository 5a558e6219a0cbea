"""A number beside a noun chooses the noun's plural form, in every text and every message."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tgllm.i18n import Catalogue
from tgllm.i18n.amounts import Unit, amount
from tgllm.i18n.catalogue import Text, languages, texts_of
from tgllm.i18n.plurals import FORMS
from tgllm.services.access.invitations import MOST_HOURS, MOST_USES

ROOT = Path(__file__).parents[2]
NOUN = re.compile(r"\{(\w+)\} ([^\W\d_]+)")
WORDS = {
    "about", "amount", "asked", "asker", "at", "by", "changes", "chat", "code", "command", "cure", "day", "days",
    "deleted", "duration", "fallback", "from", "function", "group", "id", "ids", "known", "language", "left", "limit",
    "measure", "model", "models", "name", "near", "nearest", "outcome", "path", "percent", "period", "persona",
    "person", "plugin", "product", "provider", "query", "question", "reason", "retired", "role", "scope", "source",
    "status", "text", "time", "title", "tool", "until", "url", "used", "user", "username", "value", "variable", "when",
    "whose", "word", "zone",
}  # fmt: skip
"""Parameters that are words, or numbers of a unit that stands elsewhere in the text."""
NEUTRAL = {
    "en": {"approved", "declined", "blocked", "waiting", "done", "extra", "has", "h", "in", "is", "left", "min",
           "needed", "of", "out", "read", "s", "written"},
    "ru": {"из", "на", "мин", "нет", "ожидают", "тыс", "отозвана", "началась", "с", "ч", "сверх", "уже"},
}  # fmt: skip
"""Words beside a number that stay the same for every number."""
BOUNDS = {"uses": MOST_USES, "hours": MOST_HOURS}
"""Numbers that are constants of the program, so that their text fits them."""
NUMBERS = {"count", "number"}
"""In a text with plural forms: the number that chooses the form, as it is or with spaces between thousands."""


def uncounted(language: str, text: Text) -> list[str]:
    """Numbers that stand beside a noun which does not change with them."""
    chosen = set[str]() if isinstance(text, str) else NUMBERS
    shown = (text,) if isinstance(text, str) else text.values()
    found = [match for form in shown for match in NOUN.finditer(form)]
    known = WORDS | BOUNDS.keys() | chosen
    return [match[0] for match in found if match[1] not in known and match[2] not in NEUTRAL[language]]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("{files} files", 1),
        ("{minutes} minutes, {name} waits", 1),
        ({"one": "{count} person within {minutes} minutes", "other": "{count} people"}, 1),
        ({"one": "{count} person", "other": "{count} people"}, 0),
        ({"one": "{number} token", "other": "{number} tokens"}, 0),
        ("{name} files", 0),
        ("Files: {files}", 0),
    ],
)
def test_a_number_beside_a_noun_is_found(text: Text, count: int) -> None:
    assert len(uncounted("en", text)) == count


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_text_with_a_number_beside_a_noun_has_plural_forms(language: str) -> None:
    found = {key: beside for key, text in texts_of(language).items() if (beside := uncounted(language, text))}

    # Only a model reads it.
    del found["prompt.summarise"]
    assert found == {}


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_noun_beside_the_number_changes_with_it(language: str) -> None:
    same = {
        key
        for key, text in texts_of(language).items()
        if not isinstance(text, str)
        and any(match[1] in NUMBERS and match[2] not in {"more", "раз"} for match in NOUN.finditer(text["other"]))
        and len({text[form] for form in FORMS[language]}) == 1
    }

    assert same == set()


def test_bounds_fit_the_texts_that_name_them() -> None:
    texts = Catalogue(strict=True)

    # English: a plural. Russian: a genitive plural, which all numbers but those ending in 1 take.
    assert all(bound > 1 and bound % 10 != 1 for bound in BOUNDS.values())
    assert "1 to 1000 people" in texts("error.access_invite_range", "en", **BOUNDS)


def test_the_russian_form_for_one_also_fits_twenty_one() -> None:
    singular = re.compile(r"\b(его|её|он|она|оно|ему|ей|неё|него|один|одна|одно)\b", re.IGNORECASE)
    # Tries of a password, facts and attachments are few; the others speak of another noun.
    fitting = {"password.wrong", "error.facts_full", "turn.only_caption"}
    fitting |= {"admin.broadcast.report", "error.personas_full", "error.fact_too_long"}
    found = {
        key
        for key, text in texts_of("ru").items()
        if not isinstance(text, str) and key not in fitting and singular.search(text["one"])
    }

    assert found == set()


@pytest.mark.parametrize(
    ("count", "english", "russian"),
    [
        (0, "0 requests", "0 запросов"), (1, "1 request", "1 запрос"), (2, "2 requests", "2 запроса"),
        (5, "5 requests", "5 запросов"), (11, "11 requests", "11 запросов"), (21, "21 requests", "21 запрос"),
        (1001, "1\u202f001 requests", "1\u202f001 запрос"), (112, "112 requests", "112 запросов"),
    ],
)  # fmt: skip
def test_an_amount_has_its_noun_in_the_right_form(count: int, english: str, russian: str) -> None:
    texts = Catalogue(strict=True)
    unit: Unit = "requests"

    assert amount(texts, unit, count) == english
    assert amount(lambda key, **params: texts(key, "ru", **params), unit, count) == russian


VERBS = {"is", "was", "has", "does", "names", "begins", "takes", "offers", "answers", "returns", "lacks", "holds",
         "declares", "imports", "presses", "runs", "ends", "exists", "sends", "accepts", "belongs", "points", "comes",
         "needs", "as", "decides"}  # fmt: skip
LIMITS = {"bytes", "characters", "tokens", "ms", "s", "seconds", "fields", "times"}
"""Units of limits and sizes in messages for developers; one of them is as good as never the number."""


def counted_in_code(tree: ast.AST) -> Iterator[str]:
    """Formatted strings with a value before a plural noun, such as ``f"{len(models)} models"``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                noun = re.match(r" ([a-z]+s|people)\b", str(after.value))
                if noun and noun[1] not in VERBS | LIMITS:
                    yield ast.unparse(node)


def test_a_counted_noun_in_the_code_is_found() -> None:
    assert len(list(counted_in_code(ast.parse('f"{len(models)} models"; f"{name} is there"; f"{n} more"')))) == 1


def test_no_message_in_the_code_counts_a_noun() -> None:
    paths = [*(ROOT / "src").rglob("*.py"), *(ROOT / "plugins").glob("*/src/**/*.py")]
    # The samples of answers are prose.
    sources = [path for path in paths if path.parent.name != "samples"]
    found = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in sources
        for text in counted_in_code(ast.parse(path.read_text(encoding="utf-8")))
    }

    assert len(sources) > 100
    assert found == set()
