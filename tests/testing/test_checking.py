"""Failures of the conformance kit are sentences that say what to do."""

import re

import pytest

from tgllm.api import Unsupported
from tgllm.testing.conformance.checking import raising


def test_an_error_of_the_system_is_named_beside_the_one_to_raise() -> None:
    with (
        pytest.raises(AssertionError, match=re.escape("a file is gone: raise Unsupported of tgllm.api; it raises OSE")),
        raising(Unsupported, "a file is gone"),
    ):
        raise OSError


def test_a_block_that_raises_nothing_fails() -> None:
    with (
        pytest.raises(AssertionError, match=r"it raises nothing$"),
        raising(Unsupported, "a file is gone"),
    ):
        pass


def test_the_error_of_the_contract_is_kept() -> None:
    with raising(Unsupported, "a file is gone") as caught:
        raise Unsupported("no file")
    assert str(caught.value) == "no file"


def test_a_failed_check_in_the_block_stays_as_it_is() -> None:
    with pytest.raises(AssertionError, match=r"^a check$"), raising(Unsupported, "a file is gone"):
        raise AssertionError("a check")
