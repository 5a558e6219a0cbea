"""What a replica does because there are others: it listens to them, and carries out what they order."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from tgllm.bot.parts import BotParts
from tgllm.bot.turns.edits import stop_superseded
from tgllm.bot.turns.elsewhere import Orders
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.access.lost_access import LostAccess
from tgllm.services.bot_core import BotCore

__all__ = ["sharing_tasks"]


def sharing_tasks(core: BotCore, parts: BotParts) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
    """Return the background tasks of a replica; called on a server only."""
    database = core.database

    def stop_edited(edits: Sequence[InboxRow], begun: dict[int, str]) -> None:
        most = parts.downloads.most_bytes
        stop_superseded(edits, begun, core.running, parts.bot_id, parts.username, most_bytes=most)

    lost_access = LostAccess(database, core.running, core.clock)
    tasks: list[Callable[[], Coroutine[Any, Any, None]]] = [
        Orders(database, core.running, lost_access.stop_turns, stop_edited).run
    ]
    if core.budgets.shared is not None:
        tasks.append(core.budgets.shared.run)
    if database.can_listen:
        tasks.append(partial(database.listen, core.clock))
    return tasks
