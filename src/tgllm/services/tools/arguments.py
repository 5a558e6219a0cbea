"""Arguments of calls: parsed, cleaned, and checked by the schema of the tool."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias, cast

from tgllm.api import Json, JsonObject
from tgllm.services.common.text import mend_surrogates

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["MOST_CHARS", "WrongArguments", "parse_arguments"]

Errors: TypeAlias = Iterable[object] | None
Keyword: TypeAlias = Callable[[object, object, object, Mapping[str, object]], Errors]
"""Checks one keyword of a schema: takes the validator, the keyword's value, the instance and the schema."""

MOST_CHARS: Final = 64_000
"""Longest arguments of a call, in characters."""
_MOST_DEPTH: Final = 40
_MOST_REFERENCES: Final = 2_000
"""References that are followed in one check: those of a foreign schema may branch without end."""
_LONGEST_ERROR: Final = 400

_followed: ContextVar[list[int]] = ContextVar("tgllm_schema_references")


class WrongArguments(ValueError):
    """Arguments of a call can't be used; the message is for the model."""


def parse_arguments(text: str, schema: JsonObject | None = None) -> JsonObject:
    """Return the arguments of a call.

    Args:
        text: JSON, as the model wrote it; empty stands for an empty object.
        schema: JSON Schema of the tool. References to other documents are refused, and regular expressions are not
            checked, since a schema may be from a foreign server. None: any object fits.

    Raises:
        WrongArguments: the text is no JSON object, exceeds the limits, or does not fit the schema.
    """
    if len(text) > MOST_CHARS:
        raise WrongArguments(f"The arguments are too long: {len(text)} of at most {MOST_CHARS} characters.")
    try:
        found: object = json.loads(text, parse_constant=_no_constant, parse_float=_finite) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise WrongArguments(f"The arguments are not valid JSON: {str(error)[:_LONGEST_ERROR]}") from None
    if not isinstance(found, dict):
        raise WrongArguments("The arguments must be a JSON object.")
    arguments = cast("JsonObject", _clean(cast("Json", found), _MOST_DEPTH))
    if schema is not None:
        _check(arguments, schema)
    return arguments


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(number: str) -> float:
    found = float(number)
    if not isfinite(found):
        # JSON has no sign for it, so that no request could repeat the call.
        raise ValueError(f"{number[:20]} is too large")
    return found


def _clean(value: Json, depth: int) -> Json:
    """Return a value without NUL and lone surrogates, which neither databases nor services take.

    Raises:
        WrongArguments: it is nested too deeply.
    """
    if depth < 0:
        raise WrongArguments("The arguments are nested too deeply.")
    if isinstance(value, str):
        return mend_surrogates(value.replace("\0", ""))
    if isinstance(value, Mapping):
        return {str(_clean(name, depth)): _clean(each, depth - 1) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_clean(each, depth - 1) for each in value]
    return value


def _check(arguments: JsonObject, schema: JsonObject) -> None:
    """Check arguments by a schema.

    Raises:
        WrongArguments: they don't fit, or the schema can't be used.
    """
    token = _followed.set([0])
    try:
        error = next(iter(_validator(schema).iter_errors(arguments)), None)
    except WrongArguments:
        raise
    except Exception as failed:  # noqa: BLE001  a foreign schema can make the check fail in any way
        raise WrongArguments(f"The schema of the tool can't be used ({type(failed).__name__}).") from None
    finally:
        _followed.reset(token)
    if error is not None:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        raise WrongArguments(f"The arguments don't fit the schema: ${where}: {error.message[:_LONGEST_ERROR]}")


def _validator(schema: JsonObject) -> "Validator":
    from referencing import Registry  # noqa: PLC0415  only a turn that calls tools needs it

    return _kind()(schema, registry=Registry())


@cache
def _kind() -> "type[Validator]":
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  only a turn that calls tools needs it

    known = cast("Mapping[str, Keyword]", Draft202012Validator.VALIDATORS)

    def closed(validator: object, extra: object, instance: object, schema: Mapping[str, object]) -> Errors:
        # Which properties are additional depends on regular expressions then.
        return (
            () if "patternProperties" in schema else known["additionalProperties"](validator, extra, instance, schema)
        )

    changed = {
        # Expressions of a foreign schema may take exponential time.
        **dict.fromkeys(("pattern", "patternProperties", "unevaluatedProperties"), _unchecked),
        "additionalProperties": closed,
        **{name: _counted(known[name]) for name in ("$ref", "$dynamicRef")},
    }
    return cast("type[Validator]", validators.extend(Draft202012Validator, changed))  # pyright: ignore[reportUnknownMemberType]  untyped in the library


def _unchecked(*_: object) -> Sequence[object]:
    return ()


def _counted(follow: Keyword) -> Keyword:
    def counted(validator: object, reference: object, instance: object, schema: Mapping[str, object]) -> Errors:
        count = _followed.get()
        count[0] += 1
        if count[0] > _MOST_REFERENCES:
            raise WrongArguments("The schema of the tool has too many references.")
        return follow(validator, reference, instance, schema)

    return counted
