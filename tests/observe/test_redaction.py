"""No secret gets through, in whatever form it appears, and ordinary text stays as it is."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config_support import TOKEN
from tgllm.observe.redaction import BLOT, Redactor, redact, redacted_value

# Other work on the machine must not fail a test.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEY = "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"token is {TOKEN}.",
        TOKEN.replace(":", "%3A"),
        f"GET https://api.telegram.org/bot{TOKEN}/getMe 200",
        f"https://api.telegram.org/file/bot{TOKEN}/photos/file_1.jpg",
    ],
)
def test_bot_tokens(text: str) -> None:
    assert "AAHdqTcv" not in redact(text)


def test_short_tokens_of_test_servers_in_addresses() -> None:
    assert redact("http://127.0.0.1:8081/bot42:TEST/getMe") == f"http://127.0.0.1:8081/bot{BLOT}/getMe"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {KEY}",
        f"authorization=Basic {KEY}",
        f"headers were {{'x-goog-api-key': '{KEY}'}}",
        f'{{"api_key": "{KEY}", "model": "m"}}',
        f"Incorrect API key: {KEY}",
        f"GEMINI_API_KEY={KEY}",
        f"client_secret = {KEY}",
        f"password: {KEY}",
        f"https://x.example/v1?alt=sse&key={KEY}&n=1",
        f"https://user:{KEY}@x.example/v1",
        f"sent Bearer {KEY}",
    ],
)
def test_keys_by_the_name_beside_them(text: str) -> None:
    shown = redact(text)

    assert KEY not in shown
    assert BLOT in shown


@pytest.mark.parametrize(
    "text",
    [
        "input_tokens=512 output_tokens: 1024",
        "https://api.telegram.org/",
        "2026-11-22T12:34:56Z",
        "ratio 10:20, see http://127.0.0.1:8081/chat",
        "a bearer of news",
        "/bots and robots",
        "token bucket is full",
        "task_runner_of_the_scheduler and sk-learn",
        "sk-is-the-language-of-slovakia-and-no-key",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-Abcdefgh0123456789Abcdefgh",
        "sk-ant-api03-Abcdefgh0123456789-Abcd",
        "gsk_Abcdefgh0123456789Abcdefgh",
        "AIzaSyAbcdefgh0123456789Abcdefgh",
        "hf_Abcdefgh0123456789Abcdefgh",
    ],
)
def test_keys_in_a_sentence(key: str) -> None:
    assert redact(f"401 for key {key}, which is revoked") == "401 for key [hidden], which is revoked"


@pytest.mark.parametrize("piece", ["1", "sk-", "sk-a ", "/bot1", "token ", "bearer ", "://a", "a:", "?key="])
def test_a_long_text_takes_no_more_than_its_length(piece: str) -> None:
    # Where the time grows with the square of the length, this ends by the time limit of a test.
    text = piece * 400_000 + " :"
    assert redact(text).endswith(" :")


def test_redacting_twice_changes_nothing() -> None:
    once = redact(f'{{"token": "{TOKEN}"}} Authorization: Bearer {KEY}')

    assert redact(once) == once


@UNHURRIED
@given(
    before=st.text(),
    after=st.text(),
    bot_id=st.integers(10_000, 10**12),
    secret=st.text("ABCabc019_-", min_size=30, max_size=50),
)
def test_a_bot_token_is_found_in_any_text(before: str, after: str, bot_id: int, secret: str) -> None:
    shown = redact(f"{before}{bot_id}:{secret}{after}")

    assert f":{secret}" not in shown
    assert redact(shown) == shown


@UNHURRIED
@given(st.recursive(st.text() | st.integers() | st.floats() | st.none() | st.binary(), st.lists))
def test_every_value_becomes_json(value: object) -> None:
    json.dumps(redacted_value("value", value), allow_nan=False)


class TestRedactor:
    def test_hides_what_it_was_told(self) -> None:
        redactor = Redactor()
        redactor.add("hunter2!")

        assert redactor("it was hunter2! all along") == f"it was {BLOT} all along"

    def test_hides_every_form_of_it(self) -> None:
        redactor = Redactor()
        redactor.add("a/b c'd\\e")

        assert redactor("a%2Fb%20c%27d%5Ce") == BLOT
        assert "d\\\\e" not in redactor(repr("a/b c'd\\e"))

    def test_hides_the_longest_first(self) -> None:
        redactor = Redactor()
        redactor.add("secret")
        redactor.add("secret-and-more")

        assert redactor("secret-and-more") == BLOT

    @pytest.mark.parametrize("secret", ["", "a", "echo"])
    def test_leaves_short_words_alone(self, secret: str) -> None:
        redactor = Redactor()
        redactor.add(secret)

        assert redactor("an echo of a word") == "an echo of a word"


class TestRedactedValue:
    @pytest.mark.parametrize("name", ["token", "bot_token", "apiKey", "x-goog-api-key", "Authorization", "password"])
    @pytest.mark.parametrize("value", ["x", 12345, ["x"], {"a": 1}])
    def test_hides_all_under_a_secret_name(self, name: str, value: object) -> None:
        assert redacted_value(name, value) == BLOT

    def test_keeps_plain_values(self) -> None:
        values = {"input_tokens": 5, "latency": 0.5, "ok": True, "token": None, "names": ["a", "b"]}

        assert redacted_value("", values) == values

    def test_reaches_into_what_is_nested(self) -> None:
        shown = redacted_value("data", {"list": [{"url": f"x/bot{TOKEN}/y"}], TOKEN: ({"secret": "abc"},)})

        assert TOKEN not in repr(shown)
        assert "abc" not in repr(shown)

    def test_reads_objects_and_errors(self) -> None:
        class Thing:
            def __repr__(self) -> str:
                return f"Thing({TOKEN})"

        assert redacted_value("thing", Thing()) == f"Thing({BLOT})"
        assert redacted_value("error", ValueError(TOKEN)) == BLOT


def test_a_secret_that_is_registered_later_is_redacted_in_a_text_that_was_seen_before() -> None:
    redactor = Redactor()
    assert redactor("the word is swordfish") == "the word is swordfish"
    redactor.add("swordfish")

    assert redactor("the word is swordfish") == f"the word is {BLOT}"


def test_any_number_of_texts_can_be_redacted() -> None:
    redactor = Redactor()
    redactor.add("swordfish")

    assert {redactor(f"{number} swordfish") for number in range(3000)} == {f"{number} {BLOT}" for number in range(3000)}
    assert len(redactor._results) <= 1000
