"""Implementation of ``tgllm inbox retry`` and ``drop``."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import typer

from tgllm.api.clock import SystemClock, milliseconds
from tgllm.cli.failure import tell
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, say
from tgllm.cli.stored import existing_database
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.looking import is_running
from tgllm.db.queries import inbox_care
from tgllm.db.queries.inbox_care import MOST_ID, Refusal
from tgllm.i18n import Catalogue
from tgllm.services.common.actor import SHELL, note
from tgllm.services.common.turn_ids import turn_id_of

__all__ = ["Change", "run_change"]

PIECE = 200
"""Updates that are changed in one transaction: a bot that runs must not wait long for it."""

Change = Literal["retry", "drop"]


def run_change(options: Options, change: Change, ids: Sequence[int], *, all_: bool, as_json: bool) -> None:
    """Retry or drop updates; those that can't be are named.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database is missing or can't be written.
        typer.BadParameter: neither ids nor ``--all`` were given, or both.
        typer.Exit: some can't be changed.
    """
    if bool(ids) == all_:
        raise typer.BadParameter("name updates by their ids, or all of them with --all")
    options.quiet_log()
    config = options.load().config
    results = asyncio.run(_change(config, change, ids))
    texts = Catalogue(config.language)
    if as_json:
        changed = [update_id for update_id, refusal in results.items() if refusal is None]
        refused = {str(update_id): refusal for update_id, refusal in results.items() if refusal is not None}
        print_json({"changed": changed, "refused": refused})
    for update_id, refusal in results.items():
        if refusal is not None:
            tell(_refused(texts, refusal, update_id))
        elif not as_json:
            is_retry = change == "retry"
            say(texts("shell.inbox_retried", id=update_id) if is_retry else texts("shell.inbox_dropped", id=update_id))
    if not results:
        tell(texts("shell.inbox_none_ended_badly"))
    if any(results.values()):
        raise typer.Exit(1)


async def _change(config: Config, change: Change, ids: Sequence[int]) -> Mapping[int, Refusal | None]:
    place, clock = existing_database(config), SystemClock()
    stopped = not is_running(place)

    def unit(conn: Connection, chosen: Sequence[int]) -> dict[int, Refusal | None]:
        now = milliseconds(clock)
        results: dict[int, Refusal | None] = {}
        for update_id in chosen:
            if not 0 <= update_id <= MOST_ID:
                results[update_id] = "unknown"
                continue
            turn_id = turn_id_of(update_id)
            results[update_id] = (
                inbox_care.retry(conn, update_id, turn_id, now)
                if change == "retry"
                else inbox_care.drop(conn, update_id, turn_id, now, stopped=stopped)
            )
            if results[update_id] is None:
                note(conn, SHELL, f"update.{change}", str(update_id), now, {})
        return results

    async with await Database.open(place, clock=clock) as database:
        chosen = [*dict.fromkeys(ids or await database.read(inbox_care.ended_badly))]
        results: dict[int, Refusal | None] = {}
        for start in range(0, len(chosen), PIECE):
            results |= await database.write(partial(unit, chosen=chosen[start : start + PIECE]))
        return results


def _refused(texts: Catalogue, refusal: Refusal, update_id: int) -> str:
    match refusal:
        case "unknown":
            return texts("shell.inbox_unknown", id=update_id)
        case "done":
            return texts("shell.inbox_done", id=update_id)
        case "merged":
            return texts("shell.inbox_merged", id=update_id)
        case "waiting":
            return texts("shell.inbox_waiting", id=update_id)
        case "running":
            return texts("shell.inbox_running", id=update_id)
        case "empty":
            return texts("shell.inbox_empty", id=update_id)
        case "sending":
            return texts("shell.inbox_sending", id=update_id)
