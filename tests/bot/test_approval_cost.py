"""A press on "Approve" does not rebuild every command menu."""

import pytest
from benchmarks.jobs import JOBS, count_job

pytestmark = pytest.mark.sqlite  # the limit was counted with the file

ALL_MENUS = 1_450
"""Calls that rebuild every command menu, with the lines of the log and the counters beside them."""


def test_an_approval_costs_less_than_rebuilding_all_menus_alone() -> None:
    counted = count_job(JOBS['an admin presses "Approve"'])
    # The watchdog looks at the event loop by the clock, more often while a busy machine runs the job slowly.
    by_the_clock = sum(calls for name, calls in counted.functions.items() if name.startswith("LoopWatchdog."))
    assert counted.calls - by_the_clock < ALL_MENUS
