"""What models can do is read from data."""

import pytest

from tgllm.api import ModelInfo
from tgllm.providers.capabilities import read_capabilities


def test_a_model_is_found_by_id_and_by_alias() -> None:
    text = """
        [models.a]
        title = "A"
        context_window = 100
        max_output_tokens = 10
        mime_types = ["image/png"]
        reasoning = true
        aliases = ["b"]
        [models."c/d"]
    """
    a = ModelInfo("a", "A", 100, 10, frozenset({"image/png"}), reasoning=True, aliases=("b",))

    assert read_capabilities(text) == {"a": a, "b": a, "c/d": ModelInfo("c/d")}


def test_a_mistyped_field_is_told() -> None:
    with pytest.raises(ValueError, match="vision"):
        read_capabilities("[models.a]\nvision = true")


@pytest.mark.parametrize(
    "text",
    [
        'models = "a"',
        "[models]\na = 1",
        '[models.a]\nmime_types = "image/png"',
        '[models.a]\naliases = "b"',
        '[models.a]\ncontext_window = "128k"',
        "[models.a]\nmax_output_tokens = 0",
        '[models.a]\nreasoning = "no"',
        "[model.a]",
    ],
)
def test_a_value_of_the_wrong_kind_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_capabilities(text)
