"""Publishes Telegram's command menus: a default one with the users' commands, and own ones in admins' private chats.

A user who has chosen a language for the bot has a menu in that language, whatever the language of their client.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aiogram import Bot
from aiogram.types import BotCommand, BotCommandScopeChat, BotCommandScopeDefault

from tgllm.api import Role
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.telegram.failures import CallFailure, classify, is_unexpected
from tgllm.bot.ui.command_menu import CommandMenu, MenuBuilder
from tgllm.bot.ui.command_table import LiveCommands
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv, users
from tgllm.i18n import languages
from tgllm.observe.logs import get_logger
from tgllm.services.chats.language import chosen_languages
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.errors.reports import LoggedOnly, Reporter

__all__ = ["CommandMenus"]

log = get_logger(__name__)

CHECK_SECONDS = 300.0
"""Interval at which the published menus are checked against admins, languages and commands."""

_ADMINS: frozenset[Role] = frozenset({"owner", "admin"})
_SCOPE = "bot"
_UNSURE = ""
"""In place of a digest: the menu that Telegram shows is unknown."""
_NO_MENU = "none"
"""In place of the digest of a menu that is to be deleted."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Scope and client language of a menu."""

    chat_id: int | None
    """Private chat of an admin or of a user who has chosen a language; None for all others."""
    language: str
    """Two letters; empty for languages without a menu."""

    @property
    def key(self) -> str:
        return f"{self.chat_id or ''}/{self.language}"

    @classmethod
    def parse(cls, key: str) -> "_Place":
        chat, _, language = key.partition("/")
        return cls(int(chat) if chat else None, language)

    @property
    def scope(self) -> BotCommandScopeChat | BotCommandScopeDefault:
        return BotCommandScopeDefault() if self.chat_id is None else BotCommandScopeChat(chat_id=self.chat_id)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A user with a menu of their own, in their private chat."""

    role: Role
    language: str | None
    """The chosen language; None: the client's."""


class CommandMenus:
    """Keeps Telegram's menus equal to the command table. Errors are logged, and the call is retried later."""

    def __init__(
        self,
        bot: Bot,
        database: Database,
        clock: Clock,
        commands: LiveCommands,
        errors: Reporter | None = None,
    ) -> None:
        """Create the publisher; ``run`` publishes. Unexpected errors are reported to ``errors``, else to the log."""
        self._errors = errors or LoggedOnly()
        self._bot = bot
        self._database = database
        self._clock = clock
        self._menus = MenuBuilder(commands)
        self._others = Wakeup()
        self._refused: set[int] = set()
        """Chats that refuse calls, such as of an admin who has never started the bot."""
        self._heard: set[int] = set()
        """Chats that were refused until a message came from there: a later rejection is of the menu, not the chat."""
        self._rejected: dict[str, str] = {}
        """Digest of the menu that Telegram rejects, by place."""
        # Another bot on the same database has menus of its own.
        self._key = f"command_menus:{bot.id}"
        database.on_commit("menus", self.refresh)

    def refresh(self) -> None:
        """Check the menus; commits of this program that change a role or a language call it."""
        self._others.set()

    def heard(self, chat_ids: Iterable[int]) -> None:
        """Note that there are new updates of these chats: those that were refused are tried again."""
        if self._refused and (found := self._refused.intersection(chat_ids)):
            self._refused -= found
            self._heard |= found
            self.refresh()

    async def run(self) -> None:
        """Publish menus until cancelled.

        Raises:
            DatabaseError: the database can't be read or written.
        """
        while True:
            await self.publish()
            await self._others.wait(CHECK_SECONDS)

    async def publish(self) -> None:
        """Publish the menus that differ from those published last."""
        known, readers = await self._database.read(self._load)
        wanted = {place.key: menu for place, menu in self._wanted(readers)}
        done = {key: known[key] for key in known if key in wanted and known[key] == wanted[key].digest}
        others = [key for key in {**wanted, **known} if key not in done]
        if all(self._is_refused(_Place.parse(key), wanted.get(key)) for key in others):
            return
        # Mark the places first: if the program is killed after a call, their menus are published again.
        await self._store({**done, **dict.fromkeys(others, _UNSURE)})
        for key in others:
            told = await self._tell(_Place.parse(key), wanted.get(key))
            if key in wanted or not told:
                done[key] = wanted[key].digest if told else _UNSURE
        await self._store(done)

    async def _store(self, digests: Mapping[str, str]) -> None:
        now = milliseconds(self._clock)
        await self._database.write(lambda conn: kv.set_value(conn, _SCOPE, self._key, digests, now))

    def _load(self, conn: Connection) -> tuple[Mapping[str, str], Mapping[int, _Reader]]:
        """Return the published digests by place, and the users with a menu of their own by chat."""
        now = milliseconds(self._clock)
        stored = kv.get(conn, _SCOPE, self._key)
        known = {key: str(value) for key, value in stored.items()} if isinstance(stored, Mapping) else {}
        active = [user for user in users.list_all(conn, "active") if user.may_use(now)]
        chosen = chosen_languages(conn)
        readers = {user.id: _Reader(user.role, chosen.get(user.id)) for user in active}
        return known, {key: who for key, who in readers.items() if who.role in _ADMINS or who.language is not None}

    def _wanted(self, readers: Mapping[int, _Reader]) -> Iterator[tuple[_Place, CommandMenu]]:
        for language in ("", *sorted(languages())):
            yield _Place(None, language), self._menus.menu("user", language)
            for chat_id, reader in readers.items():
                if reader.language is None:
                    yield _Place(chat_id, language), self._menus.menu(reader.role, language)
        # A chat's menu without a language is shown in every language. Bot API: BotCommandScope.
        for chat_id, reader in readers.items():
            if reader.language is not None:
                yield _Place(chat_id, ""), self._menus.menu(reader.role, reader.language)

    async def _tell(self, place: _Place, menu: CommandMenu | None) -> bool:
        """Set or delete a menu; return False if the call fails, or was refused before."""
        if self._is_refused(place, menu):
            return False
        try:
            if menu is None:
                await self._bot.delete_my_commands(place.scope, place.language)
            else:
                commands = [BotCommand(command=name, description=text) for name, text in menu.commands]
                await self._bot.set_my_commands(commands, place.scope, place.language)
        except Exception as error:  # noqa: BLE001  a bot without a menu answers as well as one that has it
            failure = classify(error)
            if is_unexpected(error):
                self._errors.report(error, event="menu.failed", chat=place.chat_id, language=place.language)
            else:
                log.info("menu.failed", chat=place.chat_id, language=place.language, reason=failure.reason)
            if failure.meaning in {"rejected", "blocked"}:
                self._note_refusal(place, menu, failure)
            return False
        return True

    def _is_refused(self, place: _Place, menu: CommandMenu | None) -> bool:
        """Return whether Telegram has refused the same menu or the chat already."""
        return place.chat_id in self._refused or self._rejected.get(place.key) == _digest(menu)

    def _note_refusal(self, place: _Place, menu: CommandMenu | None, failure: CallFailure) -> None:
        """Remember what was refused: the chat until it sends an update, or the menu until it changes."""
        chat_id = place.chat_id
        if chat_id is None or (chat_id in self._heard and failure.meaning == "rejected"):
            self._rejected[place.key] = _digest(menu)
        else:
            self._refused.add(chat_id)
            self._heard.discard(chat_id)


def _digest(menu: CommandMenu | None) -> str:
    return _NO_MENU if menu is None else menu.digest
