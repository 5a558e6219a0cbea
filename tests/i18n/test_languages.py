"""Every language has every text, with the same parameters and all plural forms."""

import string
from collections.abc import Iterator

import pytest

from tgllm.api import errors
from tgllm.i18n.catalogue import Text, languages, texts_of
from tgllm.i18n.plurals import FORMS


def forms(text: Text) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def parameters(text: Text) -> set[str]:
    return {name for form in forms(text) for _, name, _, _ in string.Formatter().parse(form) if name is not None}


def error_classes(root: type[errors.TgllmError] = errors.TgllmError) -> Iterator[type[errors.TgllmError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from error_classes(child)


def test_there_are_english_and_russian_and_each_has_a_plural_rule() -> None:
    assert languages() >= {"en", "ru"}
    assert languages() == FORMS.keys()


@pytest.mark.parametrize("language", sorted(languages()))
class TestLanguage:
    def test_has_the_same_texts_as_english(self, language: str) -> None:
        assert texts_of(language).keys() == texts_of("en").keys()

    def test_has_the_same_parameters_as_english(self, language: str) -> None:
        def named(text: Text) -> set[str]:
            return parameters(text) - {"count"}

        english = texts_of("en")
        differing = {key for key, text in texts_of(language).items() if named(text) != named(english[key])}

        assert differing == set()

    def test_has_plural_forms_where_english_has(self, language: str) -> None:
        for key, text in texts_of("en").items():
            assert isinstance(texts_of(language)[key], str) == isinstance(text, str), key

    def test_has_every_plural_form(self, language: str) -> None:
        for key, text in texts_of(language).items():
            if not isinstance(text, str):
                assert text.keys() == FORMS[language], key

    def test_has_no_empty_text(self, language: str) -> None:
        assert all(form.strip() for text in texts_of(language).values() for form in forms(text))

    def test_fits_into_one_message(self, language: str) -> None:
        # Bot API: sendMessage takes 4096 characters; 1024 leave room for what is put in.
        assert all(len(form) <= 1024 for text in texts_of(language).values() for form in forms(text))

    def test_has_words_for_every_error(self, language: str) -> None:
        codes = {f"error.{kind.default_code}" for kind in error_classes()}

        assert len(codes) > 10
        assert codes <= texts_of(language).keys()
