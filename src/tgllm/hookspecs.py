"""Every hook that a plugin may implement: when it runs, how results combine, what a failure does, since which API.

An implementation is a function of the same name with ``@tgllm.hookimpl``; it may take any subset of the arguments.
``tryfirst`` and ``trylast`` order implementations, then the plugin's id does; wrappers are refused. The host calls
each implementation alone: one that raises or takes too long is cut off from its plugin's other hooks (the plugin is
quarantined, with the reason in ``tgllm plugins list``) and never disturbs another plugin or the bot.

The first six hooks run at start, are plain functions, do no I/O and import nothing heavy. The others may be ``def`` or
``async def``. A plain ``tgllm_startup`` or ``tgllm_shutdown`` runs in a thread. A plain one of those around a turn runs
on the event loop, and must not block.
"""

from collections.abc import Awaitable, Sequence

import pluggy

from tgllm.api.commands import ChatCommand
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import TgllmError
from tgllm.api.files import FileHandler
from tgllm.api.jobs import JobSpec
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.provider import ProviderSpec
from tgllm.api.turn import Decision, TurnInfo, TurnResult
from tgllm.api.types import ChatRequest

hookspec = pluggy.HookspecMarker("tgllm")


@hookspec
def tgllm_plugin_info() -> PluginInfo:
    """Say who the plugin is and what settings it takes. Called first; every plugin has it.

    Combines: one per plugin. Failure: quarantined; also when the API is newer or the id is taken. Since 1.0.
    """
    ...


@hookspec
def tgllm_providers(ctx: PluginContext) -> Sequence[ProviderSpec]:
    """Offer providers of models.

    Combines: all, in order; an id or alias that another plugin has quarantines the later one. Failure: quarantined.
    Since 1.0.
    """
    ...


@hookspec
def tgllm_commands(ctx: PluginContext) -> Sequence[ChatCommand]:
    """Offer chat commands.

    Combines: all, in order; a name that is taken quarantines the later plugin. Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_file_handlers(ctx: PluginContext) -> Sequence[FileHandler]:
    """Offer readers of files.

    Combines: all; the first in order that takes a kind of file reads it. An id that is taken quarantines the later
    plugin. Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_jobs(ctx: PluginContext) -> Sequence[JobSpec]:
    """Offer jobs to run on a schedule.

    Combines: all; an id that is taken quarantines the later plugin. Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check the plugin's settings for ``tgllm doctor``, without I/O.

    Combines: all, in order. Failure: a failed check with the reason. Since 1.0.
    """
    ...


@hookspec
def tgllm_startup(ctx: PluginContext) -> Awaitable[None] | None:
    """Get ready: called once, before the first update is handled. Sync or async.

    Combines: all, in order. Failure: quarantined. Since 1.0.
    """


@hookspec
def tgllm_shutdown(ctx: PluginContext) -> Awaitable[None] | None:
    """Let go of what ``tgllm_startup`` took: called once, after the last turn has ended. Sync or async.

    Combines: all, in reverse order. Failure: logged. Since 1.0.
    """


@hookspec
def tgllm_authorize(
    ctx: PluginContext, user: UserInfo, chat: ChatInfo, action: str
) -> Awaitable[Decision | None] | Decision | None:
    """Object to what a person is about to do: ``message``, ``command:<name>`` or ``button``. Sync or async.

    Called for people who are let in already, and for guests of a group that is; it can only narrow. None is no
    objection. An alias of a command counts as its name. Commands such as ``/retry`` and buttons may ask the model too;
    what is about each question belongs into ``tgllm_before_request``. A further action is ``membership``: an admin
    brings the bot into a group, which lets the group in.
    Combines: any veto is a no; the first one's reason is told. Failure: no, for everybody but owners, until the
    operator disables the plugin by name. Since 1.0.
    """


@hookspec
def tgllm_before_request(
    ctx: PluginContext, request: ChatRequest, turn: TurnInfo
) -> Awaitable[ChatRequest | None] | ChatRequest | None:
    """Change a request before it goes to the provider: all of it but the model. Sync or async.

    Also called for the summaries that the bot asks for by itself; the id of such a turn ends with ``:summary``.

    Combines: a chain, each gets what the one before returned; None leaves it as it is. Raising a TgllmError ends the
    turn with that error's words. Failure of another kind: quarantined, the request goes on unchanged. Since 1.0.
    """


@hookspec
def tgllm_after_reply(ctx: PluginContext, turn: TurnInfo, result: TurnResult) -> Awaitable[None] | None:
    """Learn of an answer that is stored and on its way to the chat. Sync or async.

    Combines: all. Failure: quarantined. Since 1.0.
    """


@hookspec
def tgllm_on_error(ctx: PluginContext, turn: TurnInfo, error: TgllmError) -> Awaitable[None] | None:
    """Learn of a turn that failed. Sync or async.

    Combines: all. Failure: quarantined. Since 1.0.
    """
