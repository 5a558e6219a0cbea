"""A secret is found in every form in which services repeat it."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from config_support import TOKEN
from tgllm.observe.redaction import BLOT, Redactor
from tgllm.observe.secret_forms import secret_forms

# Other work on the machine must not fail a test.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEY = 'sk-p/q+r="ä\\<secret>&tail~9'


def shown(secret: str, text: str) -> str:
    redactor = Redactor()
    redactor.add(secret)
    return redactor(text)


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY),
        quote(KEY, safe=""),
        quote_plus(KEY),
        quote(KEY, safe="").lower(),
        quote(quote(KEY, safe=""), safe=""),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(KEY))[1:-1].removeprefix('\\"').removesuffix('\\"'),
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
        repr(KEY)[1:-1],
        html.escape(KEY),
        html.escape(KEY, quote=False),
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
    ],
)
def test_each_form(form: str) -> None:
    assert shown(KEY.lower() if form == form.lower() and "%" in form else KEY, f"<{form}>") == f"<{BLOT}>"


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "user1:", "Bearer "])
@pytest.mark.parametrize("after", ["", "x", "\n"])
@pytest.mark.parametrize("coder", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_at_each_place(before: str, after: str, coder: object) -> None:
    assert callable(coder)
    coded = coder(f"{before}{KEY}{after}".encode()).decode()
    left = shown(KEY, coded)

    assert BLOT in left
    # What is left are the digits that also depend on what is around the secret.
    assert len(left.replace(BLOT, "")) <= len(before) * 2 + len(after) * 2 + 8


def test_the_halves_of_a_token_in_an_address() -> None:
    bot, _, secret = TOKEN.partition(":")

    assert secret not in shown(TOKEN, f"https://x.example/?bot={bot}&s={secret}&n=1")


def test_what_is_short_is_no_secret() -> None:
    assert secret_forms("abcd") == set()
    assert "TEST" not in secret_forms("42:TEST")


@UNHURRIED
@given(st.text(st.characters(min_codepoint=33, max_codepoint=0x3000), min_size=5), st.text(), st.text())
def test_any_secret_in_any_json(secret: str, before: str, after: str) -> None:
    assume(secret not in BLOT)
    left = shown(secret, json.dumps({"error": f"{before} {secret} {after}"}))

    assert json.dumps(secret)[1:-1] not in left.replace(BLOT, "")
