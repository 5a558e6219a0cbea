"""Time zone that a person has chosen, in place of the bot's."""

from collections.abc import Iterable

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["choose_time_zone", "chosen_time_zone", "find_time_zone"]

_SCOPE = "time_zone"
"""Scope of the key-value store; the key is the person's Telegram id."""
_HIDDEN = ("posix/", "right/", "Etc/", "SystemV/")
"""Variants of other zones, with leap seconds or with the sign of the offset reversed."""


def chosen_time_zone(conn: Connection, user_id: int) -> str | None:
    """Return the IANA name of the time zone that a person has chosen; None without a choice."""
    name = kv.get(conn, _SCOPE, str(user_id))
    return name if isinstance(name, str) else None


def choose_time_zone(clock: Clock, user_id: int, name: str | None) -> Unit:
    """Return the unit of work that stores a person's choice; None removes it."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        if name is None:
            kv.delete(conn, _SCOPE, str(user_id))
        else:
            kv.set_value(conn, _SCOPE, str(user_id), name, now)

    return unit


def find_time_zone(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the time zone that a person means, or names that are close. Blocks: it lists the system's zones.

    Args:
        text: an IANA name, or the city in one, in any case and with spaces or underscores.

    Returns:
        The IANA name and no others; or None, and up to five names that it may be.
    """
    from zoneinfo import available_timezones  # noqa: PLC0415  people choose their zone once

    names = sorted(name for name in available_timezones() if not name.startswith(_HIDDEN) and name != "localtime")
    wanted = _folded(text)
    by_name = {_folded(name): name for name in names}
    if wanted in by_name:
        return by_name[wanted], ()
    cities = [name for name in names if _folded(name).rpartition("/")[2] == wanted]
    if len(cities) == 1:
        return cities[0], ()
    return None, tuple(cities[:5]) or _close(wanted, by_name.values())


def _close(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return up to five names that contain a text, or else are spelled like it."""
    if not wanted:
        return ()
    known = {_folded(name): name for name in names}
    inside = [name for folded, name in known.items() if wanted in folded]
    if inside:
        return tuple(inside[:5])
    from difflib import get_close_matches  # noqa: PLC0415  people choose their zone once

    spelled = {folded.rpartition("/")[2]: name for folded, name in known.items()} | known
    return tuple(dict.fromkeys(spelled[found] for found in get_close_matches(wanted, spelled, n=5)))


def _folded(text: str) -> str:
    return "_".join(text.casefold().split())
