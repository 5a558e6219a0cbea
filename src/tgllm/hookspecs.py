"""Specifications of all hooks: when a hook runs, how results combine, what a failure does, and since which API version.

An implementation is a function of the same name with ``@tgllm.hookimpl``; it may take any subset of the arguments.
Implementations are ordered by ``tryfirst`` and ``trylast``, then by the plugin's id; wrappers are refused. The host
calls each implementation separately: if one raises or times out, its plugin is quarantined, with the reason in
``tgllm plugins list``; other plugins and the bot are not affected.

The first eight hooks run at startup, are plain functions, do no I/O and import nothing heavy. The others may be ``def``
or ``async def``. A plain ``tgllm_startup`` or ``tgllm_shutdown`` runs in a thread. A plain hook around a turn runs on
the event loop, and must not block.
"""

from collections.abc import Awaitable, Sequence

import pluggy

from tgllm.api.buttons import Press, PressResult
from tgllm.api.commands import ChatCommand, Reply
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import TgllmError
from tgllm.api.files import FileHandler, Transcriber
from tgllm.api.jobs import DueJob, JobSpec
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.provider import ProviderSpec
from tgllm.api.tools import ToolSpec
from tgllm.api.turn import Decision, TurnInfo, TurnResult
from tgllm.api.types import ChatRequest

hookspec = pluggy.HookspecMarker("tgllm")


@hookspec
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's id, title, API version and settings. Called first; required.

    Combines: one per plugin. Failure: quarantined; also if the API version is too new or the id is taken. Since 1.0.
    """
    ...


@hookspec
def tgllm_providers(ctx: PluginContext) -> Sequence[ProviderSpec]:
    """Return the plugin's providers.

    Combines: all, in order; one whose id is taken is left out, as is an alias. Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_commands(ctx: PluginContext) -> Sequence[ChatCommand]:
    """Return the plugin's chat commands.

    Combines: all, in order; one whose name is taken is left out, as is an alias. Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_file_handlers(ctx: PluginContext) -> Sequence[FileHandler]:
    """Return the plugin's file handlers.

    Combines: all; the first handler for a MIME type is used. One whose id is taken is left out.
    Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_transcribers(ctx: PluginContext) -> Sequence[Transcriber]:
    """Return the plugin's transcribers, which convert speech to text for models that don't take audio.

    Combines: all; the first transcriber for a MIME type is used. One whose id is taken is left out.
    Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_jobs(ctx: PluginContext) -> Sequence[JobSpec]:
    """Return the plugin's scheduled jobs.

    Combines: all; one whose id is taken is left out. Failure: quarantined. Since 1.0.
    """
    ...


@hookspec
def tgllm_tools(ctx: PluginContext) -> Sequence[ToolSpec]:
    """Return the plugin's tools, which models may call. Those that are known only later: ``ctx.tools.replace``.

    Combines: all; one whose name is taken is left out. Failure: quarantined. Since 1.2.
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
    """Prepare the plugin: called once, before the first update is handled. Sync or async.

    ``tgllm chat`` calls it too, before its first question, maybe while a bot runs with the same data folder.

    Combines: all, in order. Failure: quarantined. Since 1.0.
    """


@hookspec
def tgllm_shutdown(ctx: PluginContext) -> Awaitable[None] | None:
    """Release the plugin's resources: called once, after the last turn has ended. Sync or async.

    Combines: all, in reverse order. Failure: logged. Since 1.0.
    """


@hookspec
def tgllm_authorize(
    ctx: PluginContext, user: UserInfo, chat: ChatInfo, action: str
) -> Awaitable[Decision | None] | Decision | None:
    """Allow or deny an action of a person: ``message``, ``command:<name>`` or ``button``. Sync or async.

    Called for approved people and for members of an approved group; it can only restrict access. None means no
    objection. An alias of a command counts as its name. Commands such as ``/retry`` and buttons may call the model too;
    use ``tgllm_before_request`` for checks of every question. A further action is ``membership``: an admin adds the bot
    to a group, which approves the group.

    Combines: any veto denies the action; the first veto's reason is shown. Failure: denied, for everybody but owners,
    until the operator disables the plugin by id. Since 1.0.
    """


@hookspec
def tgllm_before_request(
    ctx: PluginContext, request: ChatRequest, turn: TurnInfo
) -> Awaitable[ChatRequest | None] | ChatRequest | None:
    """Change a request, except its model, before it is sent to the provider. Sync or async.

    Also called for the summaries that the bot requests; the id of such a turn ends with ``:summary``.

    Combines: a chain, each gets the result of the previous one; None leaves the request unchanged. A TgllmError ends
    the turn with that error's text. Failure: any other exception quarantines the plugin, and the request continues
    unchanged. Since 1.0.
    """


@hookspec
def tgllm_after_reply(ctx: PluginContext, turn: TurnInfo, result: TurnResult) -> Awaitable[None] | None:
    """Handle an answer that has been stored and is being sent. Sync or async.

    Combines: all. Failure: quarantined. Since 1.0.
    """


@hookspec
def tgllm_on_error(ctx: PluginContext, turn: TurnInfo, error: TgllmError) -> Awaitable[None] | None:
    """Handle the failure of a turn. Sync or async.

    Combines: all. Failure: quarantined. Since 1.0.
    """


@hookspec
def tgllm_button(
    ctx: PluginContext, press: Press
) -> Awaitable[PressResult | Reply | str | None] | PressResult | Reply | str | None:
    """Handle the press of a button of this plugin. Sync or async.

    Only the plugin that sent the button is called, after the checks that a command passes: access, roles, vetoes of
    ``tgllm_authorize``, and ``Button.pressers``. A text is shown as a toast, a Reply is sent as a new message. Presses
    on one message are handled one after another. After a crash a press may be handled twice, with the same
    ``Press.id``.

    Combines: one plugin is called. A TgllmError is shown to the person. Failure: any other exception is reported like
    one of a command; the plugin is not quarantined. Since 1.1.
    """


@hookspec
def tgllm_job(ctx: PluginContext, job: DueJob) -> Awaitable[None] | None:
    """Do a one-shot job that ``ctx.jobs.at`` has planned, when it is due. Sync or async.

    The time limit is 600 s. A failure does not cause quarantine: the job is tried again, see ``Jobs``.

    Combines: called for the plugin's own jobs. Failure: tried again later, at most 4 times; then the job is removed and
    reported. Since 1.1.
    """


@hookspec
def tgllm_forget(ctx: PluginContext, user: UserInfo) -> Awaitable[None] | None:
    """Delete what the plugin keeps about a person, who has used ``/forget`` or was erased by an admin. Sync or async.

    The values of ``ctx.store.of(user)`` and the jobs of ``ctx.jobs.of(user)`` are deleted already. Called soon after
    the deletion, also after a restart, and maybe more than once; if the plugin is missing or quarantined, when it is
    back.

    Combines: all. Failure: tried again like a job, then reported. Since 1.1.
    """


@hookspec
def tgllm_chat_moved(ctx: PluginContext, old: int, new: int) -> Awaitable[None] | None:
    """Replace a group's id in what the plugin keeps: Telegram has made a supergroup of the group. Sync or async.

    The values of ``ctx.store.of(old)`` and the jobs of ``ctx.jobs.of(old)`` have moved already. Called as soon and as
    often as ``tgllm_forget``.

    Combines: all. Failure: tried again like a job, then reported. Since 1.1.
    """
