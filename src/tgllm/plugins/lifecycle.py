"""Startup and shutdown hooks, and the checks for ``tgllm doctor``."""

from tgllm.api.context import Check
from tgllm.plugins.calls.outcome import Breach, blamed, value_of
from tgllm.plugins.calls.thread import HookThread
from tgllm.plugins.calls.time_limits import HostLimits
from tgllm.plugins.checks.doctor import check_doctor
from tgllm.plugins.checks.values import refuse_async
from tgllm.plugins.roster import Bound, Roster

__all__ = ["doctor", "shutdown", "startup"]


async def startup(roster: Roster) -> None:
    """Call ``tgllm_startup`` of each plugin in order; a failure quarantines its plugin."""
    for bound in roster.implementations("tgllm_startup"):
        if bound.plugin.is_active:
            await _ignoring_breach(roster, bound)


async def shutdown(roster: Roster) -> None:
    """Call ``tgllm_shutdown`` of each plugin in reverse order; a failure is reported."""
    for bound in reversed(roster.implementations("tgllm_shutdown")):
        outcome = await roster.call_aside(bound)
        try:
            with blamed(bound.implementation.function):
                value_of(outcome, "tgllm_shutdown")
        except Breach as breach:
            roster.report_failure(bound, breach)


async def doctor(roster: Roster, limits: HostLimits) -> list[tuple[str, Check]]:
    """Return the check results with the ids of their plugins; an implementation that fails is a failed check."""
    thread = HookThread()
    try:
        return [
            entry
            for bound in roster.implementations("tgllm_doctor")
            for entry in await _checks(roster, bound, thread, limits)
        ]
    finally:
        thread.close()


async def _ignoring_breach(roster: Roster, bound: Bound) -> None:
    try:
        roster.judged(bound, await roster.call_aside(bound))
    except Breach:
        # The plugin is quarantined, and the reason is logged.
        return


async def _checks(roster: Roster, bound: Bound, thread: HookThread, limits: HostLimits) -> list[tuple[str, Check]]:
    hook, function = bound.implementation.hook, bound.implementation.function
    try:
        with blamed(function):
            refuse_async(hook, function)
            outcome = await thread.run(lambda: function(*bound.arguments({})), limits.hook_seconds)
            found = check_doctor(hook, value_of(outcome, hook))
    except Breach as breach:
        roster.report_failure(bound, breach)
        found = (Check("doctor", "failed", str(breach)),)
    return [(bound.plugin.id, check) for check in found]
