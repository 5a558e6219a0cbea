"""Personas that people make for themselves, beside those of the settings: kept for each person, chosen in any chat."""

import re
from collections.abc import Iterable, Mapping, Sequence

from tgllm.api import Json, TgllmError
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.personas import PersonaSetting
from tgllm.db import kv
from tgllm.db.unit import Connection, Unit

__all__ = ["MOST_NAME", "MOST_PERSONAS", "PersonaRefused", "check_persona", "keep_persona", "own_personas"]

MOST_PERSONAS = 20
"""Personas of a person's own."""
MOST_NAME = 32
"""Characters of the name of one."""

_SCOPE = "personas"
"""In it, the key is the person's Telegram id, and the value what each persona says, by its name."""
# A lone "-" is what takes the persona of a chat away.
_NAME = re.compile(rf"(?!-)[\w-]{{1,{MOST_NAME}}}")


class PersonaRefused(TgllmError):
    """The persona can't be kept."""

    default_code = "persona_refused"


def check_persona(name: str, offered: Iterable[PersonaSetting], own: Sequence[PersonaSetting]) -> None:
    """See whether somebody may keep a persona of that name, in place of the one of theirs that is called so.

    Raises:
        PersonaRefused: it is no name, or that of one in the settings, or there are as many as may be.
    """
    if _NAME.fullmatch(name) is None:
        raise PersonaRefused(code="persona_name", limit=MOST_NAME)
    if any(persona.name == name for persona in offered):
        raise PersonaRefused(code="persona_taken", name=name)
    if len(own) >= MOST_PERSONAS and all(persona.name != name for persona in own):
        raise PersonaRefused(code="personas_full", limit=MOST_PERSONAS)


def own_personas(conn: Connection, user_id: int) -> list[PersonaSetting]:
    """A person's own, by name."""
    texts = _stored(conn, user_id)
    return [PersonaSetting(name=name, system=str(texts[name])) for name in sorted(texts)]


def keep_persona(clock: Clock, user_id: int, name: str, system: str | None) -> Unit:
    """The piece of work that keeps a persona of somebody's own, or without an instruction forgets it."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        kept = {key: text for key, text in _stored(conn, user_id).items() if key != name}
        if system is not None:
            kept[name] = system
        if kept:
            kv.set_value(conn, _SCOPE, str(user_id), kept, now)
        else:
            kv.delete(conn, _SCOPE, str(user_id))

    return unit


def _stored(conn: Connection, user_id: int) -> Mapping[str, Json]:
    stored = kv.get(conn, _SCOPE, str(user_id))
    return stored if isinstance(stored, Mapping) else {}
