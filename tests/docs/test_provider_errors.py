"""The page about deviations names each one that the fakes send."""

import re

from docs_support import read_page
from tgllm.testing.fake_providers import DEVIATIONS

PAGE = read_page("reference/provider-errors.md").partition("## Tolerated deviations")[2]


def test_each_deviation_is_on_the_page() -> None:
    first_cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]

    assert sorted(re.findall(r"`([^`]+)`", " ".join(first_cells))) == sorted(DEVIATIONS)
