"""Descriptions of settings, for ``tgllm plugins info`` and ``check``."""

from pydantic import BaseModel, Field, create_model

from tgllm.services.plugin_checks.fields import describe_fields


class Base(BaseModel):
    address: str = ""
    """Where it is,
    such as ``host``."""
    bare: int = 0


class Settings(Base):
    """Settings."""

    key: str = Field("", description="The key.")
    """Not this."""
    minutes: int = 5
    """How long."""

    @property
    def of_no_field(self) -> int:
        """Not a field."""
        return 1


def test_a_field_is_described_by_its_description_or_by_the_string_below_it() -> None:
    assert describe_fields(Settings) == {
        "address": "Where it is, such as `host`.",
        "bare": "",
        "key": "The key.",
        "minutes": "How long.",
    }


def test_a_model_without_a_source_has_what_its_fields_say() -> None:
    made = create_model("Made", a=(int, Field(1, description="One.")), b=(int, 2))
    assert describe_fields(made) == {"a": "One.", "b": ""}
