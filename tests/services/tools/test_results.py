"""Results of calls, as a model may read them."""

import time

from tgllm.i18n import Catalogue
from tgllm.services.tools.results import cut


def test_a_long_result_is_cut_and_says_so() -> None:
    shown = cut("a\x00b" * 1000, 1500, Catalogue())
    assert shown.startswith("abab")
    assert shown.endswith("1500 of 2000]")


def test_a_result_that_fits_is_whole() -> None:
    assert cut("a\x00b\ud83d", 3, Catalogue()) == "ab\N{REPLACEMENT CHARACTER}"


def test_a_huge_result_does_not_hold_the_bot_up() -> None:
    huge = "é\x00" * 20_000_000
    began = time.process_time()
    shown = cut(huge, 1000, Catalogue())
    assert time.process_time() - began < 0.5
    assert shown.startswith("é" * 1000 + "\n")
    assert "Characters shown: 1000 of" in shown
