"""Detection of tests of the kit that a subclass changes or leaves out without a reason."""

import inspect
from collections.abc import Mapping

__all__ = ["breaches", "exemption"]


def breaches(subclass: type, kit: type, settings: frozenset[str], exempt: Mapping[str, str]) -> list[str]:
    """Return the changes to the kit that a subclass gives no reason for, a sentence each."""
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
    """Return the reason for the exemption of a test, as ``name`` or ``name[parameters]``; None if it is not exempt."""
    return exempt.get(test) or exempt.get(_test(test))


def _found(owner: type, name: str) -> object:
    """Return a class attribute without the descriptor protocol, with which a fixture is a new object each time."""
    return inspect.getattr_static(owner, name, None)


def _test(name: str) -> str:
    return name.partition("[")[0]
