"""Personas that people make for themselves, beside those of the settings: kept for each person, chosen in any chat."""

import re
from collections.abc import Iterable, Mapping

from tgllm.api import Json, TgllmError
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["MOST_NAME", "MOST_PERSONAS", "PersonaRefused", "forget_persona", "keep_persona", "own_personas"]

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


def own_personas(conn: Connection, user_id: int) -> list[PersonaSetting]:
    """A person's own, by name."""
    texts = _stored(conn, user_id)
    return [PersonaSetting(name=name, system=str(texts[name])) for name in sorted(texts)]


def keep_persona(clock: Clock, user_id: int, persona: PersonaSetting, offered: Iterable[PersonaSetting]) -> Unit:
    """The piece of work that keeps a persona of somebody's own, in place of the one of theirs that is called so.

    The rules are looked at where it is stored: somebody may be making others in other chats.

    Args:
        clock: for the time.
        user_id: whose it is.
        persona: its name, and what it says.
        offered: those of the settings.

    Returns:
        The piece of work; it raises ``PersonaRefused`` where the name is none or one of the settings, or there are as
        many as may be.
    """
    now, name = milliseconds(clock), persona.name

    def unit(conn: Connection) -> None:
        _check_name(name, offered)
        kept = {**_stored(conn, user_id), name: persona.system}
        if len(kept) > MOST_PERSONAS:
            raise PersonaRefused(code="personas_full", limit=MOST_PERSONAS)
        kv.set_value(conn, _SCOPE, str(user_id), kept, now)

    return unit


def forget_persona(clock: Clock, user_id: int, name: str) -> Unit:
    """The piece of work that forgets a persona of somebody's own."""
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
        raise PersonaRefused(code="persona_name", limit=MOST_NAME)
    if any(persona.name == name for persona in offered):
        raise PersonaRefused(code="persona_taken", name=name)


def _stored(conn: Connection, user_id: int) -> Mapping[str, Json]:
    stored = kv.get(conn, _SCOPE, str(user_id))
    return stored if isinstance(stored, Mapping) else {}
