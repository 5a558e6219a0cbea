"""Aiogram's models as fields of others, built when a value of them arrives.

``Message`` alone refers to most of aiogram's types: building its validator would import and build all of them. Here
each reference becomes a validator that looks up the type at the first value, and then calls the type's own.
"""

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Annotated, Any, Final, TypeGuard, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationInfo
from pydantic_core import CoreSchema, core_schema

__all__ = ["late_names", "real_type"]

_REAL: Final = frozenset({"base", "custom"})
"""Modules of ``aiogram.types`` with what is no model: base classes, sentinels, and the type of times."""


def late_names(types: ModuleType, parts: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return, for each name of ``aiogram.types``, what stands for it in annotations of models.

    Args:
        types: the package.
        parts: its names, and the modules they are in.
    """
    names: dict[str, Any] = {}
    for name, (module, _) in parts.items():
        names[name] = getattr(types, name) if module in _REAL else Annotated[Any, _Late(types, name, names)]
    return names


def real_type(annotation: Any) -> Any:  # noqa: ANN401  any annotation
    """Return what an ``Annotated`` type stands for: aiogram's type in place of a late one, else its first argument."""
    first, *metadata = get_args(annotation)
    late = [each for each in metadata if isinstance(each, _Late)]
    return late[0].real() if late else first


class _Late:
    """A validator that becomes that of a type at the first value."""

    def __init__(self, types: ModuleType, name: str, names: Mapping[str, Any]) -> None:
        self._types = types
        self._name = name
        self._names = names
        self._check: Callable[..., Any] | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._validate)

    def _validate(self, value: object, info: ValidationInfo) -> object:
        if self._check is None:
            self._check = self._build()
        return self._check(value, context=info.context)

    def real(self) -> Any:  # noqa: ANN401  a class or a union
        """Return the type."""
        return getattr(self._types, self._name)

    def _build(self) -> Callable[..., Any]:
        found = self.real()
        if _is_model(found):
            return found.model_validate
        # A union, or a class that is no model. A member that is only complete as a part of it could not be serialized.
        for model in _models_in(found):
            model.model_rebuild()
        config = ConfigDict(arbitrary_types_allowed=True, defer_build=True)
        adapter: TypeAdapter[Any] = TypeAdapter(found, config=config)
        adapter.rebuild(raise_errors=True, _types_namespace={**self._names, self._name: found})
        return adapter.validate_python


def _is_model(found: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(found, type) and issubclass(found, BaseModel)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  any annotation
    inner: Any = getattr(annotation, "__value__", annotation)
    if _is_model(inner):
        yield inner
    for part in get_args(inner):
        yield from _models_in(part)
