"""What two packages say of the same models is the same."""

import tomllib
from typing import Any

import pytest

from doc_pages.marks import ROOT
from tgllm_anthropic.models import Families

OWN = ROOT / "plugins/tgllm_anthropic/src/tgllm_anthropic"
COMPATIBLE = ROOT / "plugins/tgllm_openai/src/tgllm_openai"


def read(folder: Any, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / name).read_text(encoding="utf-8"))


def test_anthropics_prices_are_the_same_by_both_of_its_apis() -> None:
    own, compatible = read(OWN, "prices.toml"), read(COMPATIBLE, "anthropic_prices.toml")

    assert own["models"] == compatible["models"]


WINDOWS = read(COMPATIBLE, "anthropic_models.toml")["models"]


@pytest.mark.parametrize("model", sorted(WINDOWS))
def test_anthropics_windows_are_the_same_by_both_of_its_apis(model: str) -> None:
    family = Families().of(model)

    assert (family.window, family.output) == (WINDOWS[model]["context_window"], WINDOWS[model]["max_output_tokens"])
