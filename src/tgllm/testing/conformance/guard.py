"""Keeps the kit whole: a test that is changed or left out is named, with the reason."""

import inspect
from collections.abc import Mapping

__all__ = ["breaches", "exemption"]


def breaches(subclass: type, kit: type, settings: frozenset[str], exempt: Mapping[str, str]) -> list[str]:
    """What a subclass does to the kit without saying why; in words, empty if it is nothing."""
    fixed = {name for name in dir(kit) if not name.startswith("__") and name not in settings}
    changed = sorted(name for name in fixed if _found(subclass, name) is not _found(kit, name))
    tests = {name for name in fixed if name.startswith("test_")}
    return [
        *(f"{name} is the kit's own and can't be changed" for name in changed if name not in tests),
        *(
            f"{name} is changed or left out: give the reason in exempt = {{{name!r}: ...}}"
            for name in changed
            if name in tests and name not in exempt
        ),
        *(f"exempt names {name}, and the kit has no such test" for name in exempt if _test(name) not in tests),
        *(f"exempt gives no reason for {name}" for name, reason in exempt.items() if not reason.strip()),
    ]


def exemption(exempt: Mapping[str, str], test: str) -> str | None:
    """The reason why a test, as ``name`` or ``name[parameters]``, is exempt; None if it is not."""
    return exempt.get(test) or exempt.get(_test(test))


def _found(owner: type, name: str) -> object:
    """What a class has under a name; a fixture would be another object at each ordinary look."""
    return inspect.getattr_static(owner, name, None)


def _test(name: str) -> str:
    return name.partition("[")[0]
