"""A press on "Let in" does not rebuild every command menu."""

from benchmarks.jobs import JOBS, count_job

WITH_ALL_MENUS = 1_983
"""Calls of a press that rebuilds every command menu."""


def test_let_in_costs_less_than_half_the_calls_of_rebuilding_all_menus() -> None:
    counted = count_job(JOBS['an admin presses "Let in"'])
    assert counted.calls < WITH_ALL_MENUS / 2
