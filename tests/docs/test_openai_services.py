"""The page of services says what the table of presets contains."""

import openai_services
from docs_support import read_page
from tgllm_openai.presets import load_presets


def test_the_page_is_that_of_the_table() -> None:
    assert read_page("reference/openai-services.md") == openai_services.text()


def test_every_preset_has_a_row() -> None:
    page = read_page("reference/openai-services.md")

    assert all(f"| `{name}` |" in page for name in load_presets())
    assert page.count("not checked") == sum(not preset.checked for preset in load_presets().values()) + 1
