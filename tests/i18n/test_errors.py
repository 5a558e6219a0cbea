"""Error texts are made of what a plugin puts into an error, whatever that is."""

import pytest

from tgllm.api.errors import BudgetExceeded, ProviderError, RateLimited, TgllmError, Unavailable
from tgllm.i18n.catalogue import Catalogue
from tgllm.i18n.errors import error_text

TEXTS = Catalogue()
NUMBERS = (float("nan"), float("inf"), -float("inf"), 1e300, -5, 10**400, "soon", None, True)
LONGEST = 2_000


class Careless(RateLimited):
    """An error that sets its attribute itself."""

    def __init__(self, seconds: float | str | None) -> None:
        """Create the error."""
        super().__init__("slow down")
        self.retry_after = seconds  # type: ignore[assignment]  as a plugin without types may do


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda value: repr(value)[:10])
def test_a_wait_of_any_value_is_explained_in_words(number: float | str | None, language: str) -> None:
    errors: list[TgllmError] = [
        Careless(number),
        RateLimited("x", retry_after=number),  # type: ignore[arg-type]  as a plugin without types may do
        Unavailable("x", retry_after=number),
        ProviderError("x", code="idle", seconds=number),
        Unavailable("x", code="idle", seconds=number),
    ]
    for error in errors:
        text = error_text(TEXTS, error, language)
        assert "error." not in text
        assert not any(word in text for word in ("nan", "inf", "{"))


def test_a_parameter_may_have_any_name_and_length() -> None:
    for name in ("key", "language", "count", "time", "code_", "model"):
        error = ProviderError("x", **{name: "X" * 1_000_000})
        assert error_text(TEXTS, error, "en") == TEXTS("error.provider", "en")
    assert len(error_text(TEXTS, ProviderError("x", code="model_ref", ref="X" * 1_000_000), "en")) < LONGEST


def test_a_budget_error_without_its_parameters_has_the_text_of_its_class() -> None:
    assert error_text(TEXTS, BudgetExceeded("x", until="tomorrow"), "en") == TEXTS("error.budget", "en")
