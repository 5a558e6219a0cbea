"""The samples of the reference, each read as the page says."""

import re

import pytest

from docs_support import read_page
from tgllm import api
from tgllm.api import ProviderError, RateLimited
from tgllm.providers.failure import Failure, explain
from tgllm.providers.rejected_fields import of_error

PAGE = read_page("reference/provider-errors.md")
ROW = re.compile(r"^\| ([^|]+) \| (\d+) \| (?:`(.*)`|\(none\)) \| (\w+)(?:, (\w+))? \|$", re.MULTILINE)
SAMPLES = [pytest.param(*found[1:], id=f"{found[0]}-{found[1]}-{found[3]}") for found in ROW.findall(PAGE)]


def sample_error(status: str, body: str) -> ProviderError:
    return explain(Failure("host", int(status), {}, body.encode()))


def test_the_page_has_samples() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| [^|]+ \| \d+ \|", line)]
    assert len(SAMPLES) == len(rows) > 90


@pytest.mark.parametrize(("status", "body", "kind", "field"), SAMPLES)
def test_a_sample_is_read_as_the_page_says(status: str, body: str, kind: str, field: str) -> None:
    error = sample_error(status, body)

    rejected = of_error(error)
    assert type(error) is getattr(api, kind), repr(error)
    code = error.code if error.code == "tools_unsupported" else ""
    assert (rejected.name if rejected else code) == field


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 5.289s.", 5.289),
        ("Please try again in 6m0s", 360.0),
        ("Please retry in 250ms", 0.25),
        ("please try again after 1 seconds", 1.0),
        ("Try again in 1h2m3s", 3723.0),
        ("Try again in a moment", None),
        ("Please try again later", None),
    ],
)
def test_the_wait_in_the_words_of_a_service(words: str, seconds: float | None) -> None:
    error = sample_error("429", f'{{"error": {{"message": "{words}"}}}}')

    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds
