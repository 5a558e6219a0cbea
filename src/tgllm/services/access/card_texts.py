"""Texts of admin cards, before and after the decision on the request."""

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.groups import Group
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.services.access.cards import CardText
from tgllm.services.people.names import chosen_name, named, named_group

__all__ = ["group_card", "group_decided", "person_card", "person_decided"]

MOST_REASON = 300
"""Maximum length of the reason of a request in UTF-16 units."""


def person_card(texts: Catalogue, user: User) -> CardText:
    """Return the text of a person's request."""

    def text(language: str) -> str:
        lines = [texts("access.card_person", language, name=named(user))]
        if user.language_code:
            lines.append(texts("access.card_language", language, code=chosen_name(user.language_code)))
        if user.reason:
            lines.append(texts("access.card_reason", language, reason=chosen_name(user.reason, MOST_REASON)))
        return "\n".join(lines)

    return text


def group_card(texts: Catalogue, group: Group, asker: User | None) -> CardText:
    """Return the text of a request for a group."""
    title = named_group(group)

    def text(language: str) -> str:
        lines = [texts("access.card_group", language, title=title)]
        if asker is not None:
            lines.append(texts("access.card_asker", language, name=named(asker)))
        return "\n".join(lines)

    return text


def person_decided(texts: Catalogue, conn: Connection, user: User, what: str, by: int | None) -> CardText:
    """Return the text of a decided request of a person; ``what`` is a verdict, or ``invite``."""
    decider = _decider(conn, by)

    def text(language: str) -> str:
        name = decider or texts("access.by_operator", language)
        return texts(f"access.decided_{what}", language, name=named(user), by=name)

    return text


def group_decided(texts: Catalogue, conn: Connection, group: Group, what: str, by: int | None) -> CardText:
    """Return the text of a decided request for a group; ``what`` is a verdict."""
    decider = _decider(conn, by)

    def text(language: str) -> str:
        name = decider or texts("access.by_operator", language)
        return texts(f"access.decided_{what}", language, name=named_group(group), by=name)

    return text


def _decider(conn: Connection, by: int | None) -> str | None:
    """Return the name of the deciding admin; None for the shell."""
    user = None if by is None else users.get(conn, by)
    return str(by) if by is not None and user is None else None if user is None else named(user)
