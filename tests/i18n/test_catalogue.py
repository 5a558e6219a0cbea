"""The texts: the right language, the right plural form, and never an exception in a chat."""

from typing import TYPE_CHECKING

import pytest

from tgllm import i18n
from tgllm.api import errors
from tgllm.i18n import Catalogue, TextError, error_text

if TYPE_CHECKING:
    from tgllm.api.context import Texts


@pytest.fixture
def texts() -> Catalogue:
    return Catalogue(strict=True)


def test_serves_as_the_contract_wants_it(texts: Catalogue) -> None:
    contract: Texts = texts

    assert contract("ping.ready") == "Bot ready"


@pytest.mark.parametrize("language", ["ru", "ru-RU", "RU", "ru_RU"])
def test_takes_the_nearest_language(texts: Catalogue, language: str) -> None:
    assert texts("stream.thinking", language) == "Думаю..."


@pytest.mark.parametrize("language", ["", "de", "xx-YY", "../ru", "catalogue"])
def test_takes_the_default_for_a_language_that_is_not_there(texts: Catalogue, language: str) -> None:
    assert texts("stream.thinking", language) == "Thinking..."
    assert Catalogue("ru", strict=True)("stream.thinking", language) == "Думаю..."


def test_an_unknown_default_means_english() -> None:
    assert Catalogue("de")("stream.thinking") == "Thinking..."


def test_ping_says_bot_ready_in_every_language(texts: Catalogue) -> None:
    assert "Bot ready" in texts("ping.ready", "ru")
    assert "request pending" in texts("access.state_pending", "en")


@pytest.mark.parametrize(
    ("language", "count", "words"),
    [
        ("en", 0, "0 seconds"), ("en", 1, "1 second"), ("en", 1.5, "1.5 seconds"), ("en", 2, "2 seconds"),
        ("ru", 0, "0 секунд"), ("ru", 1, "1 секунду"), ("ru", 2, "2 секунды"), ("ru", 4, "4 секунды"),
        ("ru", 5, "5 секунд"), ("ru", 11, "11 секунд"), ("ru", 12, "12 секунд"), ("ru", 14, "14 секунд"),
        ("ru", 21, "21 секунду"), ("ru", 22, "22 секунды"), ("ru", 111, "111 секунд"), ("ru", 1.5, "1.5 секунды"),
    ],
)  # fmt: skip
def test_plural_forms(texts: Catalogue, language: str, count: float, words: str) -> None:
    assert words == texts("duration.seconds", language, count=count)


def test_a_missing_parameter_is_loud_in_tests_and_quiet_in_a_chat(texts: Catalogue) -> None:
    with pytest.raises(TextError, match=r"turn\.unknown_command in en"):
        texts("turn.unknown_command", name="foo")

    shown = Catalogue()("turn.unknown_command", name="foo")

    assert shown.startswith("turn.unknown_command: I don't know")


@pytest.mark.parametrize("params", [{}, {"count": None}, {"count": "many"}])
def test_a_bad_count_is_loud_in_tests_and_quiet_in_a_chat(texts: Catalogue, params: dict[str, object]) -> None:
    with pytest.raises(TextError):
        texts("duration.seconds", **params)

    assert Catalogue()("duration.seconds", **params) == "duration.seconds"


def test_an_unknown_key_is_loud_in_tests_and_quiet_in_a_chat(texts: Catalogue) -> None:
    with pytest.raises(TextError, match=r"no\.such\.key"):
        texts("no.such.key")

    assert Catalogue()("no.such.key", "ru") == "no.such.key"


def test_a_parameter_is_put_in_as_it_is(texts: Catalogue) -> None:
    assert "{nearest}" in texts("turn.unknown_command", name="{nearest}", nearest="x")


class TestErrorText:
    def test_is_chosen_by_code(self, texts: Catalogue) -> None:
        assert error_text(texts, errors.AuthFailed("401 from https://x")) == texts("error.auth_failed")
        assert error_text(texts, errors.AuthFailed(), "ru") == texts("error.auth_failed", "ru")

    def test_fills_in_the_parameters(self, texts: Catalogue) -> None:
        error = errors.ModelNotFound("no", code="model_ref", ref="gpt")

        assert '"gpt"' in error_text(texts, error)

    def test_of_a_code_that_only_a_plugin_knows_is_that_of_its_class(self, texts: Catalogue) -> None:
        assert error_text(texts, errors.Unavailable("x", code="acme_melted")) == texts("error.unavailable")

    def test_says_how_long_to_wait_in_whole_seconds(self, texts: Catalogue) -> None:
        assert "in 1 second." in error_text(texts, errors.RateLimited(retry_after=0.2))
        assert "in 30 seconds." in error_text(texts, errors.RateLimited(retry_after=30.0))
        assert "again tomorrow." in error_text(texts, errors.RateLimited(retry_after=86_400))
        assert error_text(texts, errors.RateLimited()) == texts("error.rate_limited")

    def test_says_why_a_filter_refused(self, texts: Catalogue) -> None:
        assert "(SAFETY second line)" in error_text(texts, errors.Refused("x", reason="SAFETY\nsecond line"))
        assert len(error_text(texts, errors.Refused("x", reason="y" * 5000))) < 300
        assert error_text(texts, errors.Refused()) == texts("error.refused")

    def test_of_a_stranger_shows_nothing_of_it(self, texts: Catalogue) -> None:
        assert error_text(texts, RuntimeError("secret")) == texts("error.internal")

    @pytest.mark.parametrize(
        ("whose", "need"), [("user", None), ("group", None), ("user", 20), ("bot", None), ("bot", 20)]
    )
    @pytest.mark.parametrize("language", ["en", "ru"])
    def test_of_a_budget_says_what_is_used_up_but_nothing_of_what_others_spent(
        self, texts: Catalogue, whose: str, need: int | None, language: str
    ) -> None:
        until = "2026-12-01 00:00 (UTC)"
        params = {"whose": whose, "measure": "cost", "period": "month", "used": 1_500_000, "limit": 1_000_000}
        told = error_text(texts, errors.BudgetExceeded(**params, need=need, until=until), language)

        assert until in told
        assert texts("budget.period_month", language) in told
        assert ("$1.50" in told) == (whose != "bot")
        assert ("$0.00002" in told) == (whose != "bot" and need is not None)

    def test_of_a_budget_that_a_plugin_keeps(self, texts: Catalogue) -> None:
        assert error_text(texts, errors.BudgetExceeded("no")) == texts("error.budget")


def test_the_package_has_its_public_names_and_no_others() -> None:
    assert [name for name in i18n.__all__ if not hasattr(i18n, name)] == []
    assert not hasattr(i18n, "no_such_name")
