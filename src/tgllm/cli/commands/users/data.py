"""Implementation of ``tgllm users export`` and ``tgllm users forget``."""

import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final, Literal

from tgllm.api.clock import milliseconds
from tgllm.api.errors import TgllmError
from tgllm.cli.options import Options
from tgllm.cli.people import People, open_people
from tgllm.cli.words import person_name
from tgllm.database_place import database_place
from tgllm.db.engine.errors import DataFolderBusy
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.place import Server
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.erasure import Erased
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.i18n.amounts import amount
from tgllm.services.common.actor import SHELL
from tgllm.services.files.storage.opening import storage_of
from tgllm.services.messaging.people import language_of, tell
from tgllm.services.personal_data.conversation import Say
from tgllm.services.personal_data.forget import clean_up, forget
from tgllm.services.personal_data.markdown import as_markdown
from tgllm.services.personal_data.person import PersonData, as_json, load_person

__all__ = ["Form", "form_of", "run_export", "run_forget", "write_new"]

Form = Literal["json", "markdown"]

_FORMS: Final[dict[str, Form]] = {".md": "markdown", ".markdown": "markdown"}


def form_of(target: Path | None) -> Form:
    """Return the format for a file's extension; JSON by default."""
    return "json" if target is None else _FORMS.get(target.suffix.lower(), "json")


def run_export(options: Options, person: str, form: Form) -> tuple[str, Catalogue]:
    """Return the stored data of a user, and the catalogue in the language of the settings.

    Raises:
        TgllmError: the user is unknown.
    """
    return asyncio.run(_export(options, person, form))


async def _export(options: Options, person: str, form: Form) -> tuple[str, Catalogue]:
    async with open_people(options) as people:
        now = milliseconds(people.clock)

        def read(conn: Connection) -> tuple[PersonData, str]:
            user = people.find(conn, person)
            return load_person(conn, user, now), language_of(conn, user)

        data, language = await people.database.read(read)
        return as_json(data) if form == "json" else as_markdown(data, _say(people.texts, language)), people.texts


def _say(texts: Catalogue, language: str) -> Say:
    def say(key: str, **params: object) -> str:
        return texts(key, language, **params)

    return say


def write_new(path: Path, text: str) -> None:
    """Write a new file that only this system user can read; an incomplete file is deleted.

    Raises:
        TgllmError: the file exists, or can't be written.
    """
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        try:
            with file:
                file.write(text)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except FileExistsError as error:
        raise TgllmError(f"{path}: is there already; choose another name") from error
    except OSError as error:
        raise TgllmError(f"{path}: can't be written: {error.strerror}") from error


def run_forget(options: Options, person: str, confirm: Callable[[str], object]) -> str:
    """Delete the data of a user's private chats; return a sentence about what was deleted.

    Args:
        options: the shared options.
        person: the id or username of the user.
        confirm: asks for confirmation, and raises an exception if it is refused.

    Raises:
        TgllmError: the user is unknown, or the bot is writing an answer for them.
    """
    texts, user = asyncio.run(_find(options, person))
    confirm(texts("shell.user_forget_ask", person=person_name(user)))
    erased = asyncio.run(_forget(options, user))
    if erased is None:
        raise TgllmError(texts("shell.user_busy", person=person_name(user)))
    words = texts(
        "shell.user_forgotten",
        person=person_name(user),
        conversations=amount(texts, "conversations", erased.conversations),
        messages=amount(texts, "messages", erased.messages),
        files=amount(texts, "files", erased.files),
        requests=amount(texts, "requests", erased.requests),
    )
    place = database_place(options.load().config)
    return f"{words} {texts('shell.user_forgotten_server')}" if isinstance(place, Server) else words


async def _find(options: Options, person: str) -> tuple[Catalogue, User]:
    async with open_people(options) as people:
        return people.texts, await people.database.read(lambda conn: people.find(conn, person))


async def _forget(options: Options, user: User) -> Erased | None:
    async with open_people(options) as people:
        erased = await _try_to_erase(people, user, bot_runs=True)
        if erased is None:
            erased = await _erase_without_bot(people, user)
        if erased is not None:
            async with aclosing(storage_of(people.config)) as storage:
                await clean_up(people.database, people.clock, storage, erased)
        return erased


async def _erase_without_bot(people: People, user: User) -> Erased | None:
    """Erase the data of a user for whom a turn seems to run, if no bot runs: the turn is left over from a crash."""
    if people.database.is_server:
        # Seen in the same transaction: no replica can have joined when it is committed.
        return await _try_to_erase(people, user, bot_runs=None)
    with suppress(DataFolderBusy), lock_data_folder(people.config.data_dir):
        # The lock proves that no bot is running, and keeps one from starting until the data is deleted.
        return await _try_to_erase(people, user, bot_runs=False)
    return None


async def _try_to_erase(people: People, user: User, *, bot_runs: bool | None) -> Erased | None:
    """Erase the data; with ``bot_runs`` None, ask a server whether a bot runs."""
    now = milliseconds(people.clock)
    return await people.database.write(lambda conn: _erase(people, conn, user, now, bot_runs=bot_runs))


def _erase(people: People, conn: Connection, user: User, now: int, *, bot_runs: bool | None) -> Erased | None:
    if bot_runs is None:
        from tgllm.db.postgres.look import live_bots  # noqa: PLC0415  imports psycopg, which few bots need

        bot_runs = live_bots(conn) > 0
    # Read first, since the user's language setting is deleted too.
    language = language_of(conn, user)
    erased = forget(conn, user.id, SHELL, now, bot_runs=bot_runs)
    if erased is not None and user.may_use(now):
        tell(conn, user.id, people.texts("forget.by_admin", language), now)
    return erased
