"""Descriptions of the fields of a settings model."""

import ast
import inspect
from collections.abc import Mapping
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel

__all__ = ["describe_fields"]


def describe_fields(model: type[BaseModel]) -> Mapping[str, str]:
    """Return a line about each field, in the order of the model; empty where there is none.

    It is ``Field(description=...)``, or the string below the field, which editors and documentation tools show as well.
    """
    written: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            written |= _strings_below(base)
    return {
        name: " ".join((field.description or written.get(name, "")).replace("``", "`").split())
        for name, field in model.model_fields.items()
    }


def _strings_below(model: type[BaseModel]) -> dict[str, str]:
    try:
        found = ast.parse(dedent(inspect.getsource(model))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        # Made by code, or of a package without its sources.
        return {}
    lines = found.body if isinstance(found, ast.ClassDef) else []
    return {
        field.target.id: below.value.value
        for field, below in pairwise(lines)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
