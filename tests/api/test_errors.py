"""Errors of the contract, also as plugins make them."""

import math
from typing import Any

import pytest

from tgllm.api import ProviderError, RateLimited, TgllmError, Unavailable


class OfItsOwnMind(Unavailable):
    def __init__(self, path: str) -> None:
        self.path = path


class Limited(RateLimited):
    def __init__(self) -> None:
        pass


def test_an_error_whose_init_leaves_ours_out_has_a_code_all_the_same() -> None:
    error = OfItsOwnMind("/models")
    assert (error.code, error.params, str(error)) == ("unavailable", {}, "/models")


def test_an_error_about_a_rate_whose_init_leaves_ours_out_says_no_wait() -> None:
    assert (Limited().code, Limited().retry_after) == ("rate_limited", None)


@pytest.mark.parametrize("wait", [math.nan, math.inf, -1, "soon", None])
def test_what_is_no_wait_is_passed_over(wait: Any) -> None:
    error = RateLimited("too many", retry_after=wait)
    assert (error.retry_after, error.params["retry_after"]) == (None, None)


@pytest.mark.parametrize("wait", [0, 2, 0.5])
def test_a_wait_is_kept(wait: float) -> None:
    assert RateLimited(retry_after=wait).retry_after == wait


def test_without_words_an_error_says_what_its_class_is() -> None:
    assert str(TgllmError()) == "Something went wrong that tgllm can name."
    assert str(ProviderError("The model sleeps.", code="asleep", model="m")) == "The model sleeps."
