"""Base class of the tables of settings."""

from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

__all__ = ["Section", "in_words"]


class Section(BaseModel):
    """An immutable table of settings; unknown keys are errors."""

    # An invalid value may be a secret, so pydantic's messages must not contain it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers(cls, value: object, info: ValidationInfo) -> object:
        """Reject booleans as numbers, which pydantic would convert to 1 or 0."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and {int, float} & {annotation, *get_args(annotation)}:
            raise ValueError("must be a number, not true or false")
        return value


def in_words(message: str) -> str:
    """Convert a message of pydantic to the end of a sentence that begins with the value's name."""
    return message.removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")
