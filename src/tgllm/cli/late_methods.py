"""Methods of data classes, generated when they are first used.

``dataclasses`` compiles six functions for each frozen class: a quarter of the CPU until the bot asks for its first
update, and 4 MiB for methods of which few are ever called. ``tgllm run`` imports its modules with a decorator that
leaves the fields to ``dataclasses``, and the methods too, but later. Python 3.13 compiles them together, so there the
decorator stays as it is.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Generic

__all__ = ["activate", "late_dataclass"]

_STANDARD: Final = dataclasses.dataclass
_PACKAGE: Final = "tgllm"
_OPTIONS: Final = frozenset({"eq", "frozen", "kw_only", "slots"})
_METHODS: Final = (
    "__init__",
    "__repr__",
    "__eq__",
    "__hash__",
    "__setattr__",
    "__delattr__",
    "__getstate__",
    "__setstate__",
)


def activate() -> None:
    """Use ``late_dataclass`` as ``dataclasses.dataclass`` in all modules of tgllm that are imported from now on."""
    if sys.version_info < (3, 13):
        dataclasses.dataclass = late_dataclass


def late_dataclass(cls: type[Any] | None = None, /, **options: Any) -> Any:  # noqa: ANN401  as ``dataclasses.dataclass``
    """Make a data class as ``dataclasses.dataclass`` does; one of tgllm with usual options gets its methods late."""
    if cls is None:
        return partial(late_dataclass, **options)
    return _late(cls, options) if _fits(cls, options) else _STANDARD(cls, **options)


def _fits(cls: type[Any], options: Mapping[str, Any]) -> bool:
    return (
        cls.__module__.partition(".")[0] == _PACKAGE
        and options.keys() <= _OPTIONS
        and cls.__bases__ in {(object,), (Generic,)}
        and vars(cls).keys().isdisjoint(_METHODS)
    )


def _late(cls: type[Any], options: Mapping[str, Any]) -> type[Any]:
    is_frozen, has_eq = options.get("frozen", False), options.get("eq", True)
    body = _body_of(cls)
    has_doc = cls.__doc__ is not None
    if not has_doc:
        # ``dataclasses`` would describe the parameters of a method that is not there yet.
        cls.__doc__ = cls.__name__
    others = {name: value for name, value in options.items() if name not in {"frozen", "eq"}}
    made: Any = _STANDARD(cls, init=False, repr=False, eq=False, **others)
    if not has_doc:
        made.__doc__ = None
    params = made.__dataclass_params__
    params.init, params.repr, params.eq, params.frozen = True, True, has_eq, is_frozen

    def put(name: str, **written: bool) -> None:
        setattr(made, name, _Late(made, name, body, {**others, "frozen": is_frozen, **_WITHOUT, **written}))

    put("__init__", init=True)
    put("__repr__", repr=True)
    if has_eq:
        put("__eq__", eq=True)
        if is_frozen:
            put("__hash__", eq=True)
        else:
            made.__hash__ = None
    if is_frozen:
        made.__setattr__, made.__delattr__ = _refuse_assignment, _refuse_deletion
        if options.get("slots", False):
            made.__getstate__, made.__setstate__ = _state, _set_state
    return made


_WITHOUT: Final = {"init": False, "repr": False, "eq": False, "slots": False}


def _body_of(cls: type[Any]) -> dict[str, Any]:
    """Return what ``dataclasses`` reads of a class, for another one that only serves to make its methods."""
    fields: dict[str, Any] = vars(cls).get("__annotations__", {})
    body = {name: vars(cls)[name] for name in fields if name in vars(cls)}
    if hasattr(cls, "__post_init__"):
        body["__post_init__"] = None
    return body | {
        "__annotations__": fields,
        "__doc__": cls.__name__,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
    }


class _Late:
    """A method that takes its own place when it is first looked up."""

    __slots__ = ("_body", "_cls", "_name", "_options")

    def __init__(self, cls: type[Any], name: str, body: dict[str, Any], options: dict[str, Any]) -> None:
        self._cls = cls
        self._name = name
        self._body = body
        self._options = options

    def __get__(self, instance: object, owner: type[Any]) -> Callable[..., Any]:
        made = _STANDARD(type(self._cls.__name__, (), dict(self._body)), **self._options)
        method = vars(made)[self._name]
        setattr(self._cls, self._name, method)
        return method.__get__(instance, owner)


def _owner_of(value: object, name: str, method: object) -> type[Any]:
    return next(cls for cls in type(value).__mro__ if vars(cls).get(name) is method)


def _refuse_assignment(self: Any, name: str, value: object) -> None:  # noqa: ANN401  an instance of any class
    owner = _owner_of(self, "__setattr__", _refuse_assignment)
    if type(self) is owner or name in owner.__dataclass_fields__:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    super(owner, self).__setattr__(name, value)


def _refuse_deletion(self: Any, name: str) -> None:  # noqa: ANN401  an instance of any class
    owner = _owner_of(self, "__delattr__", _refuse_deletion)
    if type(self) is owner or name in owner.__dataclass_fields__:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
    super(owner, self).__delattr__(name)


def _state(self: Any) -> list[object]:  # noqa: ANN401  an instance of any class
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:  # noqa: ANN401  an instance of any class
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        # The class is frozen.
        object.__setattr__(self, field.name, value)
