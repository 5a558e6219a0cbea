"""Runtime of the bot: startup, work, and graceful shutdown."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from aiogram import Dispatcher

from tgllm.api import DatabaseError
from tgllm.api.clock import milliseconds
from tgllm.bot.commands.plugins import command_runner
from tgllm.bot.delivery.sender import Sender
from tgllm.bot.intake.dispatch import Dispatch
from tgllm.bot.intake.hiding import Hiding
from tgllm.bot.intake.poller import Poller
from tgllm.bot.intake.receiver import note_for, receiver_for
from tgllm.bot.intake.recovery import EarlierCalls, earlier_calls, note_end, recover
from tgllm.bot.intake.storage_outage import StorageOutage
from tgllm.bot.intake.store import Intake
from tgllm.bot.intake.unparsed import answer_to_unparsed
from tgllm.bot.intake.webhook import Webhook
from tgllm.bot.loading import Loading
from tgllm.bot.parts import BotParts
from tgllm.bot.reminders.worker import Reminders
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.replies.chats import ChatSender
from tgllm.bot.replies.composing import Composer
from tgllm.bot.tasks import cancel_all, database_error_of, raise_failure, within
from tgllm.bot.telegram.client import make_bot
from tgllm.bot.telegram.downloads import Downloads
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.limits.rates import Share, rates_from
from tgllm.bot.telegram.own_account import who_am_i
from tgllm.bot.ui.command_table import LiveCommands, TableCommand
from tgllm.bot.ui.menus import CommandMenus
from tgllm.bot.updates.acknowledgements import Acknowledgements
from tgllm.bot.updates.first_look import Looking
from tgllm.bot.updates.raw import turn_id_of
from tgllm.bot.updates.scrubbing import Relevance
from tgllm.db.engine.signals import WAKING
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.shared.inbox_recovery import Recovered
from tgllm.db.tables.inbox import InboxRow
from tgllm.observe.logs import get_logger
from tgllm.observe.service_manager import service_manager
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.access.bot_account import remember_username
from tgllm.services.access.lost_access import LostAccess
from tgllm.services.access.upkeep import AccessUpkeep
from tgllm.services.admin_password.recovery import recover_questions
from tgllm.services.bot_core import BotCore
from tgllm.services.maintenance.clock_watch import ClockWatch
from tgllm.services.maintenance.job_times import ListJobs
from tgllm.services.maintenance.outside_changes import OutsideChanges

if TYPE_CHECKING:
    from tgllm.bot.replica import Replica
    from tgllm.services.replicas.membership import Membership

__all__ = ["BotRuntime", "open_replies", "open_runtime"]

log = get_logger(__name__)

DRAIN_SECONDS = 10.0
"""How long a shutdown waits for messages that are ready to be sent; the rest is sent after the next start."""
BACKGROUND_PART = 0.2
"""Part of that time for cards and notices."""
LAST_CALLS_SECONDS = 5.0
"""How long it then waits for calls under way: the result of an interrupted call would be unknown."""

Load = Callable[[Sequence[asyncio.Task[Any]]], Awaitable[None]]
Beside = Callable[[], Coroutine[Any, Any, None]]
"""A background task that runs until it is cancelled."""


class BotRuntime:
    """Receiver, dispatch and sender of one bot."""

    def __init__(
        self,
        core: BotCore,
        parts: BotParts,
        dispatch: Dispatch,
        receiver: Poller | Webhook,
        beside: Sequence[Beside] = (),
        *,
        load: Load,
        replica: "Replica | None" = None,
    ) -> None:
        """Create the runtime.

        Args:
            core: the services.
            parts: what handlers need.
            dispatch: of the updates.
            receiver: of the updates.
            beside: background tasks, which are cancelled first at shutdown.
            load: imports and connects the handlers, while the given tasks run.
            replica: what the bot is among several on one database; None for the only process on a file.
        """
        self.core = core
        self._parts = parts
        self._dispatch = dispatch
        self._receiver = receiver
        self._beside = beside
        self._load = load
        self._replica = replica
        self.loop_lag: Callable[[], float] = lambda: 0.0
        """How late the event loop ran calls of the last ten seconds, at most, in seconds."""
        self.run_job: Callable[[str], Awaitable[None]] = _no_job
        """Runs a plugin's job by its id apart from its time, for tests of plugins."""

    def seconds_asking(self) -> float:
        """Return how long the present getUpdates has lasted; 0 if there is none, and with a webhook."""
        return self._receiver.seconds_asking() if isinstance(self._receiver, Poller) else 0.0

    @property
    def webhook(self) -> Webhook | None:
        """The webhook; None if Telegram is asked for updates."""
        return self._receiver if isinstance(self._receiver, Webhook) else None

    @property
    def membership(self) -> "Membership | None":
        """Whether the bot is one of several replicas; None for the only process on a file."""
        return None if self._replica is None else self._replica.membership

    def seconds_since_poll(self) -> float | None:
        """Return the seconds since the last successful getUpdates; None before the first one, and with a webhook."""
        return self._receiver.seconds_since_success() if isinstance(self._receiver, Poller) else None

    async def run(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Run until ``stop`` is set, then wait for running turns and send what is ready.

        Args:
            stop: ends the bot.
            started: is called when everything is imported and connected.

        Raises:
            TelegramRefused: the token is wrong, or another program uses it.
            DatabaseLost: the database or its folder was deleted, moved or replaced.
            DatabaseError: the database can't be used.
            ReplicaLost: others have given up this replica.
        """
        core = self.core
        await self._recover()
        # Before the first poll, which may wait for a message.
        service_manager().ready("receiving messages")
        receiver = asyncio.create_task(self._receive(), name="receiver")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await self._load((receiver, stopping))
            started()
        except BaseException:
            await cancel_all(receiver, stopping)
            raise
        sender = asyncio.create_task(self._leading(self._parts.sender.run)(), name="sender")
        dispatch = asyncio.create_task(self._dispatch.run(), name="dispatch")
        beside = [asyncio.create_task(run()) for run in self._beside]
        lead = [] if self._replica is None else [asyncio.create_task(self._replica.lead(), name="replica")]
        tasks = {sender, dispatch, receiver, stopping, *beside, *lead}
        failed: DatabaseError | None = None
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # First, so that no new updates and background calls arrive while the running ones finish.
            await cancel_all(receiver, *beside)
            failed = database_error_of([*lead, *beside])
            is_lost = any(task.done() for task in lead)
            if self._replica is not None and not is_lost:
                await self._replica.membership.drain()
            if self.webhook is not None and stop.is_set() and not self._has_others():
                await self.webhook.leave()
            if not (is_lost or sender.done() or dispatch.done()):
                await self._drain(dispatch, sender)
        except DatabaseError as error:
            failed = failed or error
        finally:
            await cancel_all(*tasks)
            core.database.wait_no_more()
        failed = failed or database_error_of((sender, dispatch, receiver))
        if failed is not None:
            raise await self._with_reason(failed)
        await self._note_end()
        for task in (sender, dispatch, receiver, *lead, *beside):
            raise_failure(task)

    def _leading(self, run: Beside) -> Beside:
        """Return a task that begins once this process leads, which the only one on a file does from its start."""
        return run if self._replica is None else self._replica.only_leading(run)

    async def _receive(self) -> None:
        """Receive updates: at the webhook always, by getUpdates only as the leader."""
        if self.webhook is None:
            await self._leading(self._receiver.run)()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self.webhook.store(), name="webhook: store")
            group.create_task(self._leading(self.webhook.keep_set)(), name="webhook: watch")

    def _has_others(self) -> bool:
        """Return whether other replicas go on when this one ends."""
        return self._replica is not None and self._replica.membership.live > 1

    async def _recover(self) -> None:
        """Recover the work of an earlier run, and store the bot's username for shell commands."""
        core, now = self.core, milliseconds(self.core.clock)
        if self._replica is not None:
            if await self._replica.start():
                await recover_questions(core.database, core.password, core.texts, core.clock)
            return
        await recover_questions(core.database, core.password, core.texts, core.clock)

        def unit(conn: Connection) -> tuple[Recovered, EarlierCalls]:
            remember_username(conn, self._parts.bot_id, self._parts.username, now)
            earlier = earlier_calls(conn, now)
            return recover(conn, self._parts, now), earlier

        found, earlier = await core.database.write(unit)
        self._parts.limiter.remember(earlier.calls, earlier.busy)
        log.info("bot.recovered", requeued=found.requeued, spent=len(found.spent), expired=len(found.expired))

    async def _with_reason(self, failed: DatabaseError) -> DatabaseError:
        """Return the error that ends the bot: if the database was lost, that, after a copy of what is still there."""
        loss = await self.core.database.lost()
        return failed if loss is None else await self.core.database.rescue(loss, milliseconds(self.core.clock))

    async def _note_end(self) -> None:
        """Record that the program ends in order; an unusable database is reported by the task that needed it."""
        now = milliseconds(self.core.clock)
        with suppress(DatabaseError):
            if self._replica is not None:
                await self._replica.put_back()
            else:
                await self.core.database.write(lambda conn: note_end(conn, now))

    async def _drain(self, dispatch: asyncio.Task[None], sender: asyncio.Task[None]) -> None:
        """Wait for running updates and messages, within the deadlines of the config."""
        self._dispatch.stop_accepting()
        running = self.core.running
        log.info("bot.stopping", turns=len(running))
        if self._has_others():
            await self._hand_over()
        # People may take longer to decide than the shutdown may take.
        self.core.approvals.put_back()
        # Wait for updates, not only for turns: an update may not have started its turn yet.
        if not await within(self.core.config.turns.stop_timeout, self._dispatch.wait_idle()):
            if (obstacle := self.core.database.gate.obstacle) is not None:
                # Nothing that ends now could be stored. The next start begins these questions again.
                log.warning("bot.left_unstored", code=obstacle.code, turns=len(running))
                return
            running.stop_all()
            await within(DRAIN_SECONDS, self._dispatch.wait_idle())
        # Shell commands may have added rows since the sender last read the outbox.
        self._parts.sender.wake()
        if not sender.done() and not dispatch.done():
            await self._send_rest()

    async def _hand_over(self) -> None:
        """Let another replica send, also what the running turns still answer."""
        if self._replica is not None and self._replica.leads:
            self._parts.sender.stop_claiming()
            await within(LAST_CALLS_SECONDS, self._parts.sender.wait_idle())
            await self._replica.membership.release_lead()

    async def _send_rest(self) -> None:
        """Send what is ready; after the deadline, wait only for calls under way.

        Cards and notices get a part of the time: there may be many, and the next start sends the rest.
        """
        sender = self._parts.sender
        if self._replica is not None and not self._replica.leads:
            return
        if await within(DRAIN_SECONDS * BACKGROUND_PART, sender.wait_idle()):
            return
        sender.leave_background()
        if not await within(DRAIN_SECONDS * (1 - BACKGROUND_PART), sender.wait_idle()):
            sender.stop_claiming()
            await within(LAST_CALLS_SECONDS, sender.wait_idle())


@asynccontextmanager
async def open_replies(core: BotCore) -> AsyncGenerator[Composer]:
    """Let plugins send messages, and yield the composer of their replies.

    They are stored, and sent as soon as the bot runs.
    """
    config = core.config
    async with aclosing(Renderer(config.rendering.timeout, core.errors)) as renderer:
        composer = Composer(core.database, config, core.clock, core.texts, renderer, core.storage)
        core.host.connect(ChatSender(composer, core.host, config.admin_chat_id).of)
        yield composer


@asynccontextmanager
async def open_runtime(
    core: BotCore,
    composer: Composer,
    token: str,
    beside: Sequence[Beside] = (),
    jobs: ListJobs = lambda: (),
    membership: "Membership | None" = None,
) -> AsyncGenerator[BotRuntime]:
    """Connect to Telegram and yield a bot that is ready to run.

    Args:
        core: the services.
        composer: composes the replies of plugins.
        token: the bot's.
        beside: background tasks that run as long as the bot does, or as long as it leads, such as the scheduler.
        jobs: lists the scheduler's jobs.
        membership: of the bot among several replicas; None for the only process on a file.

    Raises:
        TelegramRefused: the token is wrong.
    """
    config = core.config
    limiter = Limiter(rates_from(config.sending), core.clock, _share_of(membership))
    seconds = config.sending.request_timeout
    bot = make_bot(
        token,
        config.telegram_api,
        limiter,
        request_seconds=seconds,
        clock=core.clock,
        permitted=None if membership is None else membership.wait_valid,
    )
    runner = command_runner(core.database.gate)
    async with bot, aclosing(runner):
        me = await who_am_i(bot.me, core.clock)
        sender = Sender(
            bot,
            core.database,
            limiter,
            core.clock,
            core.texts,
            core.access.invitations.links,
            core.errors,
            sending=config.sending,
            storage=core.storage,
        )
        relevance = Relevance(me.id, me.username or "")
        member = core.database.member_id
        acknowledgements = Acknowledgements(core.running, relevance, milliseconds(core.clock), member)
        commands = _live_commands(core, runner)
        menus = CommandMenus(bot, core.database, core.clock, commands, core.errors)
        parts = BotParts(
            core,
            bot,
            me.id,
            me.username or "",
            sender,
            limiter,
            Downloads(bot, core.clock, config.telegram_files),
            acknowledgements,
            relevance,
            sees_all=bool(me.can_read_all_group_messages),
            composer=composer,
            runner=runner,
            renderer=composer.renderer,
            jobs=jobs,
        )
        hiding = Hiding(parts)

        def ended(row: InboxRow) -> None:
            core.running.forget(row.lane, turn_id_of(row.update_id))
            hiding.ended(row)

        handlers = Dispatcher(disable_fsm=True)
        dispatch = Dispatch(
            bot,
            handlers,
            core.database,
            core.clock,
            most_parallel=config.turns.max_parallel,
            most_attempts=config.turns.attempts,
            empty=relevance.empty_irrelevant,
            # Others may write between the claim and the turn, so that what was read ahead would not hold.
            look=Looking(me.id, me.username or "", core.clock, core.conversations.open if member is None else None),
            ended=ended,
            answer_unparsed=lambda conn, row: answer_to_unparsed(conn, row, parts),
            errors=core.errors,
        )

        intake = Intake(parts, dispatch, menus.heard, hiding, lambda: commands.table.reads, note_for(core))
        log.info("bot.ready", username=me.username, models=core.registry.ids)

        reminders = Reminders(core, me.username or "", dispatch.arrived.set)

        def look_again() -> None:
            sender.wake()
            # Updates that were queued again in the shell.
            dispatch.arrived.set()
            for waiting in WAKING:
                core.database.announce(waiting)
            menus.refresh()
            core.broadcaster.wake()

        upkeep = AccessUpkeep(core.database, core.clock, core.texts, core.access, core.running)
        outside = _watch(core, look_again)
        clock_watch = ClockWatch(core.database, core.clock, sender.wake)
        replica = _replica(membership, parts)
        # Only the leader among several replicas does these.
        once: list[Beside] = [*beside, menus.run, core.broadcaster.run, clock_watch.run, reminders.run]
        if replica is not None:
            once = [replica.only_leading(run) for run in once]
        own = [*once, core.errors.run, upkeep.run, outside.run, *_sharing(core, parts)]
        loading = Loading()

        def connect() -> None:
            from tgllm.bot.assembly import fill_dispatcher  # noqa: PLC0415  after the first getUpdates

            fill_dispatcher(handlers, parts, commands)

        receiver = receiver_for(bot, core, loading.before(intake.take))
        load = partial(loading.run, finish=connect)
        async with StorageOutage(bot, core).watching():
            yield BotRuntime(core, parts, dispatch, receiver, own, load=load, replica=replica)


def _share_of(membership: "Membership | None") -> Callable[[], Share] | None:
    """Return what tells the part of the rates of one of several replicas; None for the only process."""
    return None if membership is None else lambda: Share(membership.live, membership.is_leader)


def _replica(membership: "Membership | None", parts: BotParts) -> "Replica | None":
    if membership is None:
        return None
    from tgllm.bot.replica import Replica  # noqa: PLC0415  imports psycopg, which few bots need

    return Replica(membership, parts)


def _live_commands(core: BotCore, runner: HookRunner) -> LiveCommands:
    """Return the table of all commands, of the bot and of plugins."""

    def rows() -> Iterable[TableCommand]:
        from tgllm.bot.assembly import table_rows  # noqa: PLC0415  after the first getUpdates

        return table_rows(core, runner, lambda: commands.table)

    commands = LiveCommands(lambda: core.host.revision, rows)
    return commands


def _sharing(core: BotCore, parts: BotParts) -> Sequence[Beside]:
    """Return the tasks of a process that shares the work with others."""
    if not core.database.is_server:
        return ()
    from tgllm.bot.sharing import sharing_tasks  # noqa: PLC0415  only on a server

    return sharing_tasks(core, parts)


def _watch(core: BotCore, look_again: Callable[[], None]) -> OutsideChanges:
    """Return the watch that reacts to database changes by shell commands."""
    lost_access = LostAccess(core.database, core.running, core.clock)

    async def react() -> None:
        await lost_access.stop_turns()
        look_again()

    return OutsideChanges(core.database, core.clock, core.config.database.watch_interval, react)


async def _no_job(job_id: str) -> None:
    raise LookupError(f"there is no job {job_id!r}: this bot has no scheduler")
