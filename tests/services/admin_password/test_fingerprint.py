"""The fingerprint finds the password in texts."""

import pytest

from tgllm.services.admin_password.fingerprint import MOST_SEARCHED, Fingerprint

WORD, PHRASE = "Sesame-Street-42", "correct horse battery staple"


@pytest.mark.parametrize("password", [WORD, PHRASE, "Пароль-😀-12"])
@pytest.mark.parametrize("form", ["{}", " {} ", "x{}x", "is it {}?", "a\n{}\nb", f"{'x ' * MOST_SEARCHED}«{{}}»"])
def test_it_finds_the_password(password: str, form: str) -> None:
    assert Fingerprint.of(password).is_in(form.format(password))


@pytest.mark.parametrize("text", ["", "Sesame", WORD[:-1], WORD.lower(), "Sesame-Street-43", "x" * 5000])
def test_other_texts_have_none(text: str) -> None:
    assert not Fingerprint.of(WORD).is_in(text)


def test_another_form_of_the_same_characters_is_the_same() -> None:
    assert Fingerprint.of("caf\u00e9-caf\u00e9").is_in("cafe\u0301-cafe\u0301")


def test_it_shows_nothing_of_the_password() -> None:
    made = Fingerprint.of(WORD)
    assert repr(made) == "Fingerprint()"
    assert made != Fingerprint.of(WORD)
