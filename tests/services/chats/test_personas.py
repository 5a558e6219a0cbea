"""Personas of people's own."""

import pytest

from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.database import Database
from tgllm.services.chats.personas import MOST_PERSONAS, PersonaRefused, forget_persona, keep_persona, own_personas
from tgllm.testing.clock import ManualClock

ANN = 7


def persona(number: int) -> PersonaSetting:
    return PersonaSetting(name=f"p{number}", system="Be brief.")


async def test_two_chats_at_once_do_not_pass_the_limit(database: Database) -> None:
    """Both were made while there was room for one."""
    clock = ManualClock()
    for number in range(MOST_PERSONAS - 1):
        await database.write(keep_persona(clock, ANN, persona(number), ()))
    first, second = (keep_persona(clock, ANN, persona(100 + number), ()) for number in (1, 2))
    await database.write(first)
    with pytest.raises(PersonaRefused) as refused:
        await database.write(second)
    assert refused.value.code == "personas_full"
    assert len(await database.read(lambda conn: own_personas(conn, ANN))) == MOST_PERSONAS


async def test_one_that_is_there_can_be_said_anew_when_there_are_as_many_as_may_be(database: Database) -> None:
    clock = ManualClock()
    for number in range(MOST_PERSONAS):
        await database.write(keep_persona(clock, ANN, persona(number), ()))
    await database.write(keep_persona(clock, ANN, PersonaSetting(name="p3", system="Sing."), ()))
    systems = {each.name: each.system for each in await database.read(lambda conn: own_personas(conn, ANN))}
    assert systems["p3"] == "Sing."
    await database.write(forget_persona(clock, ANN, "p3"))
    await database.write(keep_persona(clock, ANN, persona(100), ()))
    assert len(await database.read(lambda conn: own_personas(conn, ANN))) == MOST_PERSONAS
