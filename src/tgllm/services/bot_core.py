"""Services that only a running bot needs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from tgllm.config.checks import zone
from tgllm.observe.logs import get_logger
from tgllm.services.access.service import Access
from tgllm.services.access.user_service import UserService
from tgllm.services.admin_password.service import AdminPassword
from tgllm.services.backups.making import Order
from tgllm.services.backups.service import Backups
from tgllm.services.broadcasts.broadcaster import Broadcaster
from tgllm.services.budgets.message_rate import MessageRate
from tgllm.services.budgets.service import BudgetService
from tgllm.services.common.calendar import Days
from tgllm.services.core import Core
from tgllm.services.errors.notices import Notices
from tgllm.services.errors.origins import Origins
from tgllm.services.errors.reports import ErrorReports
from tgllm.services.errors.sentry import open_sentry
from tgllm.services.errors.texts import ErrorTexts
from tgllm.services.files.file_service import FileService
from tgllm.services.files.opening import clean_up, open_files
from tgllm.services.files.storage.copies import copies_tidied
from tgllm.services.files.storage.opening import check_at_start, storage_of
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.maintenance.unconfirmed import Unconfirmed
from tgllm.services.memory.tools import MemoryTools
from tgllm.services.messaging.admin_places import AdminPlaces
from tgllm.services.models.pricing import Prices
from tgllm.services.reading.missing import MissingNotice
from tgllm.services.reading.pool import ReaderPool
from tgllm.services.search.index import SearchIndex
from tgllm.services.tools.approvals import Approvals
from tgllm.services.tools.cards import ToolCards
from tgllm.services.tools.opening import open_tools
from tgllm.services.tools.policy import ToolPolicy
from tgllm.services.tools.questions import Questions
from tgllm.services.tools.services import ToolServices
from tgllm.services.turn_settings import pool_settings, turn_settings
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting

__all__ = ["BotCore", "open_bot_core"]


log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BotCore(Core):
    """Core of a running bot: that of shell commands and the bot's own services."""

    users: UserService
    access: Access
    running: RunningTurns
    unconfirmed: Unconfirmed
    conversations: ConversationService
    storage: FileStorage
    reader: ReaderPool
    prices: Prices
    days: Days
    budgets: BudgetService
    message_rate: MessageRate
    password: AdminPassword
    backups: Backups | None
    """None: the database is on a server, which has backups of its own."""
    broadcaster: Broadcaster
    errors: ErrorReports
    error_texts: ErrorTexts
    files: FileService
    search_index: SearchIndex
    tool_policy: ToolPolicy
    approvals: Approvals
    questions: Questions


@asynccontextmanager
async def open_bot_core(core: Core) -> AsyncGenerator[BotCore]:
    """Open the bot's services on an open core, which outlives them."""
    config, clock, texts, database, notifier = core.config, core.clock, core.texts, core.database, core.notifier
    running = RunningTurns()
    prices = Prices(config.prices, core.registry.canonical, fallback=config.budgets.fallback_price)
    accounting = Accounting(prices, Days(zone(config.time_zone)))
    policy, approvals = ToolPolicy(config.tools, accounting.days), _approvals(core)
    questions = Questions(database, clock, texts, config.tools.approval_seconds)
    access = Access.of(config.access, config.admin_chat_id, texts, clock, running, _shared_secret(core))
    budgets = BudgetService(database, clock, accounting, texts, notifier, config.budgets, config.groups)
    notice = MissingNotice(notifier, texts)
    core.host.provide_tools("basic_memory", MemoryTools(database, clock, texts, running).specs())
    error_texts = _error_texts(core)
    # The turns end first; they may wait for a file. The reports end last, with the errors of all others.
    async with (
        _opened_storage(core) as storage,
        aclosing(_errors(core, error_texts)) as errors,
        aclosing(_reader(core, notice, errors, storage)) as reader,
        open_files(
            config, clock, texts, database, core.host, reader, storage, no_transcriber=notice.note_no_transcriber
        ) as files,
        aclosing(
            _conversations(
                core,
                accounting,
                storage,
                _Parts(running, budgets, files, errors, _tools(core, storage, errors, policy, approvals, questions)),
            )
        ) as service,
    ):
        yield BotCore(
            config=config,
            clock=clock,
            texts=texts,
            database=database,
            host=core.host,
            registry=core.registry,
            notifier=notifier,
            models=core.models,
            storage=storage,
            users=UserService(database, clock, texts, access.cards, running),
            access=access,
            running=running,
            unconfirmed=Unconfirmed(),
            conversations=service,
            reader=reader,
            prices=prices,
            days=accounting.days,
            budgets=budgets,
            message_rate=MessageRate(config.budgets.messages_per_minute, clock),
            password=AdminPassword(config.admin, clock),
            backups=_backups(core, storage),
            broadcaster=Broadcaster(database, clock, texts, config.admin.broadcast_rate),
            errors=errors,
            error_texts=error_texts,
            files=files,
            search_index=SearchIndex(database, clock),
            tool_policy=policy,
            approvals=approvals,
            questions=questions,
        )


@asynccontextmanager
async def _opened_storage(core: Core) -> AsyncGenerator[FileStorage]:
    """Open the storage of files, and clean it up."""
    config, database, clock = core.config, core.database, core.clock
    async with aclosing(storage_of(config)) as storage:
        # Checked first: the clean-up would remove the files of another bot that has the same prefix.
        await check_at_start(storage, config.bot_id)
        await clean_up(database, clock, storage)
        async with copies_tidied(database, storage, round(config.s3.cache_mb * 2**20), clock):
            yield storage


def _shared_secret(core: Core) -> str:
    """Return what each of several replicas knows and the database does not; empty for the only process."""
    token = core.config.bot_token
    return token.get_secret_value() if core.database.is_server and token is not None else ""


def _approvals(core: Core) -> Approvals:
    config = core.config
    places, time_zone = AdminPlaces(config.admin_chat_id), zone(config.time_zone)
    cards = ToolCards(core.texts, places, core.host.title_of, time_zone)
    return Approvals(core.database, core.clock, cards, config.tools.approval_seconds)


def _backups(core: Core, storage: FileStorage) -> Backups | None:
    config = core.config
    if core.database.is_server:
        log.info("backup.by_server", place=core.database.store.place)
        return None
    order = Order(
        core.database.path,
        config.data_dir,
        config.backups_folder,
        0,
        config.backups.files,
        are_elsewhere=storage.is_remote,
    )
    return Backups(core.database, order, config.backups_folder, config.backups_kept, core.clock, core.notifier)


def _reader(core: Core, notice: MissingNotice, errors: ErrorReports, storage: FileStorage) -> ReaderPool:
    # The folder is emptied by each process that uses it.
    folder = None if storage.is_shared else core.config.data_dir / "reading"
    settings = pool_settings(core.config, folder)
    return ReaderPool(core.clock, core.host.quarantine, notice.note, settings, errors)


def _error_texts(core: Core) -> ErrorTexts:
    host = core.host
    origins = Origins(lambda: {each.id: (each.package, each.version) for each in host.records if not each.builtin})
    return ErrorTexts(core.texts, origins, zone(core.config.time_zone))


def _errors(core: Core, texts: ErrorTexts) -> ErrorReports:
    config, host = core.config, core.host
    notices = Notices(core.notifier, texts, core.clock, config.errors.interval_minutes * 60)
    return ErrorReports(
        core.database,
        core.clock,
        texts.origins,
        lambda module: host.owners.of_module(module),  # noqa: PLW0108  made when it is first needed
        notices=notices if config.errors.notify else None,
        sink=open_sentry(config.errors, core.clock, texts.origins.versions),
    )


def _tools(
    core: Core,
    storage: FileStorage,
    errors: ErrorReports,
    policy: ToolPolicy,
    approvals: Approvals,
    questions: Questions,
) -> ToolServices | None:
    config = core.config
    return open_tools(
        config.tools,
        core.host,
        core.clock,
        core.texts,
        errors,
        policy,
        storage=storage,
        approvals=approvals,
        ask_for=questions.ask_for,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Services of the bot that turns use."""

    running: RunningTurns
    budgets: BudgetService
    files: FileService
    errors: ErrorReports
    tools: ToolServices | None


def _conversations(core: Core, accounting: Accounting, storage: FileStorage, parts: _Parts) -> ConversationService:
    config, clock, texts = core.config, core.clock, core.texts
    settings = turn_settings(config, texts, accounting, storage)
    services = TurnServices(
        database=core.database,
        clock=clock,
        registry=core.registry,
        host=core.host,
        running=parts.running,
        budgets=parts.budgets,
        account_alerts=AccountAlerts(core.notifier, texts, clock),
        files=parts.files,
        errors=parts.errors,
        tools=parts.tools,
    )
    return ConversationService(services, settings)
