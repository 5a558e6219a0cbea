"""Validation of the results of ``tgllm doctor`` checks from plugins and providers."""

from typing import get_args, get_type_hints

from tgllm.api.context import Check
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.values import called, check_list, check_text

__all__ = ["check_doctor"]

_STATES = get_args(get_type_hints(Check)["state"])


def check_doctor(what: str, value: object) -> tuple[Check, ...]:
    """Return the check results in ``value`` if all of them are valid.

    Args:
        what: the source of the value, as the start of a sentence, such as ``tgllm_doctor``.
        value: the returned value.

    Raises:
        Breach: it is no list of checks, or a field of one is invalid.
    """
    checks = check_list(what, value, Check)
    for check in checks:
        check_text(f"{what}: the name of a check", check.name)
        if check.state not in _STATES:
            raise Breach(f"{what}: the state of {check.name} is {check.state!r} instead of {' or '.join(_STATES)}")
        _check_detail(f"{what}: the detail of {check.name}", check.detail)
    return checks


def _check_detail(what: str, detail: object) -> None:
    if not isinstance(detail, str):
        raise Breach(f"{what} is {called(detail)} instead of a text")
