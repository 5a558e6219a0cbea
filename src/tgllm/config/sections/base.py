"""What all tables of settings have in common."""

from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

__all__ = ["Section", "in_words"]


class Section(BaseModel):
    """A table of settings: it can't be changed, and a key that it does not know is an error."""

    # The value that failed may be a secret, so no message of pydantic's own repeats it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers(cls, value: object, info: ValidationInfo) -> object:
        """A truth value is no number, though pydantic would take it for 1 or 0."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and {int, float} & {annotation, *get_args(annotation)}:
            raise ValueError("must be a number, not true or false")
        return value


def in_words(message: str) -> str:
    """What pydantic says about a value, as the end of a sentence that begins with its name."""
    return message.removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")
