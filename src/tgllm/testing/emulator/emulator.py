"""The emulator: a server to start and stop, users that act, and state to wait for."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from tgllm.api.clock import Clock, SystemClock
from tgllm.testing.changes import LOOK_SECONDS
from tgllm.testing.emulator.limits.downloads import Downloads
from tgllm.testing.emulator.limits.faults import Faults
from tgllm.testing.emulator.limits.rates import RateLimits, RateMeter
from tgllm.testing.emulator.serving import HOST, Serving
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.journal import Journal
from tgllm.testing.emulator.state.records import (
    EmulatedChat,
    EmulatedDraft,
    EmulatedMessage,
    EmulatedTopic,
)
from tgllm.testing.emulator.state.suggestions import Suggestion
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.emulator.world import people
from tgllm.testing.emulator.world.transcript import transcript
from tgllm.testing.emulator.world.world import FIRST_UPDATE_ID, World

__all__ = ["DEFAULT_TOKEN", "Emulator"]

T = TypeVar("T")

DEFAULT_TOKEN = "42:TEST"  # noqa: S105 - no secret: the token of the default bot
_WAIT_SECONDS = 30.0
_BACKGROUND = ("getupdates", "getme", "setmy", "getmy", "deletemy", "setwebhook", "deletewebhook", "getwebhook")
"""Beginnings of the methods, in lower case, that say nothing about chats, such as those that set the commands."""


class Emulator:
    """A Telegram Bot API server on 127.0.0.1.

    ``async with Emulator() as emu`` serves it at ``emu.base_url``; ``port`` 0 chooses a free one.
    ``control_key`` protects the HTTP control API and the chat page (a random one by default).
    ``clock`` is the time for the expiry of drafts and updates, getUpdates' timeout and the sending rates;
    ``rate_limits`` None disables rate limits. ``first_update_id`` is the first update id of each bot: a
    bot skips updates with the ids that it has received from an earlier emulator. ``local_files`` is the folder of
    a local Bot API server: getFile then returns absolute paths in it, for files of any size. One bot exists from the
    start. All methods must be called in the event loop that runs the server; other threads and processes
    use the HTTP control API.
    """

    def __init__(  # noqa: PLR0913  all are keyword-only with defaults
        self,
        *,
        clock: Clock | None = None,
        rate_limits: RateLimits | None = None,
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        username: str = "demo_bot",
        first_name: str | None = None,
        control_key: str | None = None,
        first_update_id: int = FIRST_UPDATE_ID,
        local_files: Path | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.world = World(clock, RateMeter(clock, rate_limits), first_update_id)
        self.world.files.folder = local_files
        self.control_key = control_key or secrets.token_urlsafe(16)
        self._serving = Serving(self.world, port, self.control_key)
        self.bot = self.add_bot(token=token, username=username, first_name=first_name)

    # --- the server -----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Start serving."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop serving."""
        await self.stop()

    async def start(self) -> None:
        """Bind the port and serve. Raises OSError if the port is in use."""
        await self._serving.start()

    async def stop(self) -> None:
        """Close the port and all connections; state and port are kept for the next start."""
        await self._serving.stop()

    async def restart(self) -> None:
        """Close all connections and serve again on the same port with the same state."""
        await self.stop()
        await self.start()

    @property
    def port(self) -> int:
        """Port of the server, 0 before the first start."""
        return self._serving.port

    @property
    def base_url(self) -> str:
        """Base URL, in place of ``https://api.telegram.org``."""
        return f"http://{HOST}:{self.port}"

    @property
    def page_url(self) -> str:
        """URL of the chat page, including the secret control key."""
        return f"{self.base_url}/#key={self.control_key}"

    @property
    def suggestions(self) -> Sequence[Suggestion]:
        """Messages that the chat page offers in the private chat with the first bot."""
        return self.world.suggestions

    @suggestions.setter
    def suggestions(self, offered: Sequence[Suggestion]) -> None:
        self.world.suggestions = tuple(offered)
        self.world.changes.bump()

    @property
    def token(self) -> str:
        """Token of the default bot."""
        return self.bot.token

    @property
    def journal(self) -> Journal:
        """Calls of all bots."""
        return self.world.journal

    @property
    def faults(self) -> Faults:
        """Active faults."""
        return self.world.faults

    @property
    def downloads(self) -> Downloads:
        """Downloads of files: what was fetched, and their faults."""
        return self.world.downloads

    @property
    def rates(self) -> RateMeter:
        """Sending rates: set ``limits``, read ``violations``."""
        return self.world.meter

    # --- accounts and chats ---------------------------------------------------------------

    def add_bot(
        self,
        *,
        token: str,
        username: str,
        first_name: str | None = None,
        reads_all_group_messages: bool = True,
    ) -> EmulatedBot:
        """Add a bot; its id is the part of the token before the colon.

        ``reads_all_group_messages`` False enables Telegram's privacy mode. Raises ValueError for a token
        without a numeric id, and for an id that is in use.
        """
        return people.add_bot(
            self.world,
            token=token,
            username=username,
            first_name=first_name,
            reads_all_group_messages=reads_all_group_messages,
        )

    def add_user(
        self,
        *,
        first_name: str,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = None,
        user_id: int | None = None,
    ) -> EmulatedUser:
        """Add a user without chats. Raises ValueError if the id is in use."""
        return people.add_user(
            self.world,
            first_name=first_name,
            last_name=last_name,
            username=username,
            language_code=language_code,
            user_id=user_id,
        )

    def add_group(
        self,
        *,
        title: str,
        members: Sequence[EmulatedUser] = (),
        bots: Sequence[EmulatedBot] | None = None,
        is_basic: bool = False,
        is_forum: bool = False,
    ) -> EmulatedChat:
        """Add a supergroup (or a basic group) with these users and bots, without any updates about it.

        The first user is its creator; ``bots`` is the default bot by default, as an ordinary member.
        """
        present = [self.bot] if bots is None else bots
        return people.add_group(
            self.world, title=title, members=members, bots=present, is_basic=is_basic, is_forum=is_forum
        )

    def add_direct_messages(
        self,
        *,
        title: str,
        admins: Sequence[EmulatedUser] = (),
        bots: Sequence[EmulatedBot] | None = None,
    ) -> EmulatedChat:
        """Add the direct messages chat of a channel. Any user may write there, each in a topic of their own.

        ``admins`` are administrators of the channel; ``bots`` is the default bot by default, as one of them.
        """
        present = [self.bot] if bots is None else bots
        return people.add_direct_messages(self.world, title=title, admins=admins, bots=present)

    def add_topic(self, chat: EmulatedChat, name: str) -> EmulatedTopic:
        """Add a topic to a supergroup (which becomes a forum) or to a private chat."""
        return people.add_topic(self.world, chat, name)

    # --- state and waiting ----------------------------------------------------------------

    def transcript(self, chat: EmulatedChat) -> str:
        """Return the visible content of the chat as text: who said what, buttons and presses, drafts."""
        return transcript(chat, self.world.callbacks.values())

    @property
    def transcripts(self) -> str:
        """The content of all chats, for the report of a failed test."""
        chats = self.world.chats.values()
        return "\n".join(f"--- {_title(chat)}\n{self.transcript(chat) or '(empty)'}" for chat in chats)

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = _WAIT_SECONDS) -> T:
        """Return the first value of ``predicate`` that is truthy.

        It is called immediately, at each change of state and every 50 ms. Raises TimeoutError after ``timeout``
        seconds of real time, with the transcripts of all chats.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self.world.changes.first(predicate, LOOK_SECONDS)
        except TimeoutError:
            raise TimeoutError(self._picture(timeout)) from None

    async def wait_for_message(
        self,
        chat: EmulatedChat,
        predicate: Callable[[EmulatedMessage], bool] = lambda message: message.from_bot,
        timeout: float = _WAIT_SECONDS,
        *,
        after: EmulatedMessage | None = None,
    ) -> EmulatedMessage:
        """Wait for the oldest message of the chat (newer than ``after``) that matches. See ``wait_for``."""
        first = after.id if after else 0

        def found() -> EmulatedMessage | None:
            fitting = (m for m in chat.messages if m.id > first and predicate(m))
            return next(fitting, None)

        return await self.wait_for(found, timeout)

    async def wait_for_answer(
        self,
        said: EmulatedMessage,
        predicate: Callable[[EmulatedMessage], bool] = lambda _message: True,
        timeout: float = _WAIT_SECONDS,
    ) -> EmulatedMessage:
        """Wait for the oldest message of a bot after ``said``, in its chat and topic, that matches.

        Unlike ``wait_for_message`` with a predicate, it never returns what a user has said. See ``wait_for``.
        """

        def fits(message: EmulatedMessage) -> bool:
            return message.from_bot and message.topic is said.topic and predicate(message)

        return await self.wait_for_message(said.chat, fits, timeout, after=said)

    async def wait_for_draft(
        self,
        chat: EmulatedChat,
        predicate: Callable[[EmulatedDraft], bool] = lambda _draft: True,
        timeout: float = _WAIT_SECONDS,
    ) -> EmulatedDraft:
        """Wait for a visible draft in the chat that matches. See ``wait_for``."""
        return await self.wait_for(lambda: next((d for d in chat.drafts.values() if predicate(d)), None), timeout)

    def _picture(self, seconds: float) -> str:
        shown = [call for call in self.journal if not call.method.lower().startswith(_BACKGROUND)]
        calls = [f"{call.method} {call.status} {call.error or ''}".rstrip() for call in shown[-10:]]
        parts = [f"nothing of the kind within {seconds:g} s", self.transcripts, "--- last calls", *calls]
        return "\n".join(parts)

    # --- raw updates ----------------------------------------------------------------------

    def inject_update(self, body: dict[str, Any], bot: EmulatedBot | None = None) -> int:
        """Queue any JSON object as an update, unchanged but for its update_id, which is added if missing."""
        return (bot or self.bot).queue.put_raw(body)

    def inject_bytes(self, make: Callable[[int], bytes], bot: EmulatedBot | None = None) -> int:
        """Queue bytes in place of an update, to be confirmed like one: what ``make`` returns for its update_id.

        They need not be JSON.
        """
        return (bot or self.bot).queue.put_bytes(make)

    def repeat_update(self, update_id: int | None = None, bot: EmulatedBot | None = None) -> None:
        """Deliver an update again: the newest, or the one with this id.

        Raises LookupError if it is not among the last thousand.
        """
        (bot or self.bot).queue.repeat(update_id)


def _title(chat: EmulatedChat) -> str:
    """Return the heading of a chat in the report of a failed test."""
    if chat.is_private and chat.user is not None and chat.bot is not None:
        return f"{chat.user.first_name} and {chat.bot.first_name} (chat {chat.id})"
    return f"{chat.title or chat.type} (chat {chat.id})"
