"""Personas that the operator sets."""

import pytest

from config_support import Operator

TABLE = """
[personas.translator]
title = "Translator"
system = "Translate into English."
model = "mistral/mistral-small-latest"
temperature = 0.2
[personas.pirate]
system = "Talk like a pirate."
"""


def test_they_are_tables_by_name(operator: Operator) -> None:
    operator.writes_toml(TABLE)
    first, second = operator.loads().config.personas

    assert (first.name, first.title, first.system) == ("translator", "Translator", "Translate into English.")
    assert (first.model, first.temperature) == ("mistral/mistral-small-latest", 0.2)
    assert (second.name, second.title, second.model, second.temperature) == ("pirate", "", None, None)


def test_in_a_variable_they_are_json(operator: Operator) -> None:
    operator.environ["TGLLM_PERSONAS"] = '{"pirate": {"system": "Talk like a pirate."}}'
    (persona,) = operator.loads().config.personas

    assert (persona.name, persona.system) == ("pirate", "Talk like a pirate.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pirate", "must be JSON such as"),
        ("[1]", "must be tables such as"),
        ('{"pirate": 1}', "'pirate' must have a system prompt"),
        ('{"The Pirate": {"system": "x"}}', "'The Pirate' must be a name of small Latin letters"),
        ('{"pirate": {}}', "'pirate', system: Field required"),
        ('{"pirate": {"system": "x", "model": "small"}}', "'pirate', model: must be written provider/model"),
        ('{"pirate": {"system": "x", "temperature": 3}}', "'pirate', temperature: must be less than or equal to 2"),
        ('{"pirate": {"system": "x", "mood": 1}}', "'pirate', mood: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_told_with_the_name(operator: Operator, text: str, expected: str) -> None:
    operator.environ["TGLLM_PERSONAS"] = text

    assert operator.is_told().startswith(f"environment variable TGLLM_PERSONAS: {expected}")
