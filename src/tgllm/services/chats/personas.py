"""Personas created by a person, in addition to those of the config; the person can use them in any chat."""

import re
from collections.abc import Iterable, Mapping

from tgllm.api import Json, TgllmError
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["MOST_NAME", "MOST_PERSONAS", "PersonaRefused", "forget_persona", "keep_persona", "own_personas"]

MOST_PERSONAS = 20
"""Maximum number of personas of one person."""
MOST_NAME = 32
"""Maximum length of a name in characters."""

_SCOPE = "personas"
"""Scope of the key-value store; the key is the person's Telegram id, the value maps names to instructions."""
# "/persona -" removes the persona of a chat, so no name starts with "-".
_NAME = re.compile(rf"(?!-)[\w-]{{1,{MOST_NAME}}}")


class PersonaRefused(TgllmError):
    """The persona can't be stored."""

    default_code = "persona_refused"


def own_personas(conn: Connection, user_id: int) -> list[PersonaSetting]:
    """Return the personas created by a person, sorted by name."""
    texts = _stored(conn, user_id)
    return [PersonaSetting(name=name, system=str(texts[name])) for name in sorted(texts)]


def keep_persona(clock: Clock, user_id: int, persona: PersonaSetting, offered: Iterable[PersonaSetting]) -> Unit:
    """Return the unit of work that stores a person's persona, and replaces the person's one of the same name.

    The checks are part of the unit, since the person may create others in other chats at the same time.

    Args:
        clock: source of time.
        user_id: Telegram id of the person.
        persona: the new persona.
        offered: personas of the config.

    Returns:
        The unit of work. It raises ``PersonaRefused`` if the name is invalid or taken by the config, or the person has
        the maximum number of personas.
    """
    now, name = milliseconds(clock), persona.name

    def unit(conn: Connection) -> None:
        _check_name(name, offered)
        kept = {**_stored(conn, user_id), name: persona.system}
        if len(kept) > MOST_PERSONAS:
            raise PersonaRefused(code="personas_full", count=MOST_PERSONAS)
        kv.set_value(conn, _SCOPE, str(user_id), kept, now)

    return unit


def forget_persona(clock: Clock, user_id: int, name: str) -> Unit:
    """Return the unit of work that deletes a person's persona."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        kept = {key: text for key, text in _stored(conn, user_id).items() if key != name}
        if kept:
            kv.set_value(conn, _SCOPE, str(user_id), kept, now)
        else:
            kv.delete(conn, _SCOPE, str(user_id))

    return unit


def _check_name(name: str, offered: Iterable[PersonaSetting]) -> None:
    if _NAME.fullmatch(name) is None:
        raise PersonaRefused(code="persona_name", count=MOST_NAME)
    if any(persona.name == name for persona in offered):
        raise PersonaRefused(code="persona_taken", name=name)


def _stored(conn: Connection, user_id: int) -> Mapping[str, Json]:
    stored = kv.get(conn, _SCOPE, str(user_id))
    return stored if isinstance(stored, Mapping) else {}
