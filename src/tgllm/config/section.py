"""What all tables of settings have in common."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Section"]


class Section(BaseModel):
    """A table of settings: it can't be changed, and a key that it does not know is an error."""

    # The value that failed may be a secret, so no message of pydantic's own repeats it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)
