"""Files of questions: received in the turn, sent to models that take them, and read for those that don't."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from made_files.file_support import FakeDownloader, attach
from plugin_support import LoadHost
from tgllm import hookimpl
from tgllm.api import (
    Extracted,
    ExtractionLimits,
    FileHandler,
    FilePart,
    FileUnreadable,
    PagePicture,
    PluginInfo,
    Unavailable,
)
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets, files, messages, models, requests, users
from tgllm.db.tables.files import File
from tgllm.db.tables.messages import Message
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.budgets.service import BudgetService
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import Branch, FileWait, ShownEvent, Turn, TurnOutcome
from tgllm.services.files.attachment import Attachment, attachments_of
from tgllm.services.files.blobs import BlobStore
from tgllm.services.files.document_chooser import DocumentChooser
from tgllm.services.files.file_service import FileService
from tgllm.services.files.gathering.file_reader import FileReader, ReadLimits, ReadTools
from tgllm.services.files.gathering.finder import Finder
from tgllm.services.files.gathering.pictures import PictureDesk
from tgllm.services.files.gathering.receiver import Receiver
from tgllm.services.files.passage_store import PassageStore
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    return Extracted(path.read_text(errors="replace"))


@dataclass
class Readers:
    """A plugin with a handler of PDF, and what becomes of the files that it reads."""

    result: Extracted | FileUnreadable = field(default_factory=lambda: Extracted("[page 1]\nSecret of tea.", pages=1))
    calls: list[tuple[str, int]] = field(default_factory=list["tuple[str, int]"])
    """Names, and how many pictures were wanted."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="readers", title="Readers", api="1.0")

    @hookimpl
    def tgllm_file_handlers(self) -> Sequence[FileHandler]:
        return [FileHandler("pdfs", frozenset({"application/pdf"}), extract)]

    async def read(
        self, owned: OwnedFileHandler, path: Path, limits: ExtractionLimits, name: str, *, owner: object = None
    ) -> Extracted:
        self.calls.append((name, limits.max_pictures))
        if isinstance(self.result, FileUnreadable):
            raise self.result
        return self.result


def limit_people(conn: Connection, tokens: int) -> None:
    budgets.put(conn, budgets.BudgetLimit("bot", "tokens", "day", tokens), 1)


class Sink:
    """Keeps what it shows."""

    def __init__(self) -> None:
        self.events: list[ShownEvent] = []

    def show(self, event: ShownEvent) -> None:
        self.events.append(event)

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        return []

    @property
    def waits(self) -> list[tuple[str, str]]:
        return [(event.stage, event.name) for event in self.events if isinstance(event, FileWait)]


@dataclass
class Bench:
    """A conversation service that receives files, and what it is made of."""

    service: ConversationService
    provider: ScriptedProvider
    readers: Readers
    database: Database
    running: RunningTurns
    folder: Path
    turn: Turn
    sink: Sink = field(default_factory=Sink)

    async def takes(self, *mime_types: str) -> None:
        """Say what the model takes."""
        model = models.NewModel(provider="scripted", model="model", title="Model", mime_types=mime_types)
        await self.database.write(lambda conn: models.upsert(conn, [model], 1))

    async def ask(
        self, downloader: FakeDownloader, *attachments: Attachment, text: str = "What is it?", number: int = 1
    ) -> TurnOutcome:
        turn = replace(self.turn, id=f"u{number}", text=text, attachments=attachments)
        return await self.service.run(turn, self.sink, downloader=downloader)

    async def say(self, text: str, number: int) -> TurnOutcome:
        return await self.service.run(replace(self.turn, id=f"u{number}", text=text), self.sink)

    async def question(self, number: int = 1) -> Message:
        return (await self.database.read(lambda conn: messages.of_turn(conn, f"u{number}")))[0]

    async def stored(self, number: int = 1) -> list[File]:
        question = await self.question(number)
        return await self.database.read(lambda conn: files.of_message(conn, question.id))

    def sent(self) -> list[FilePart]:
        """Files of the last request."""
        request = self.provider.requests[-1]
        return [part for message in request.messages for part in message.parts if isinstance(part, FilePart)]


@pytest.fixture
async def bench(database: Database, load_host: LoadHost, clock: ManualClock, turn: Turn, tmp_path: Path) -> Bench:
    provider, readers, texts = ScriptedProvider(), Readers(), Catalogue()
    host = await load_host(provider.plugin, GivenPlugin.of("readers", readers))
    running = RunningTurns()
    settings = TurnSettings("scripted/model", "Be brief.", 8000, 60.0, close_seconds=0.01)
    notifier = AdminNotifier(database, clock, None)
    store = BlobStore(FileStorage(tmp_path))
    reader = FileReader(
        database, host, store, clock, ReadLimits(100_000, 60.0, 2**30), ReadTools(readers, PassageStore(database))
    )
    service = FileService(
        Receiver(database, store, clock, 2**24),
        Finder(store, reader, PictureDesk(store, None), texts),
        DocumentChooser(database, texts, clock),
        FileStorage(tmp_path),
    )
    services = TurnServices(
        database=database,
        clock=clock,
        registry=ProviderRegistry(host),
        host=host,
        running=running,
        budgets=BudgetService(database, clock, settings.accounting, texts, notifier),
        account_alerts=AccountAlerts(notifier, texts, clock),
        files=service,
    )
    await database.write(lambda conn: users.ensure_owners(conn, [7], 0))
    conversations = ConversationService(services, settings)
    return Bench(conversations, provider, readers, database, running, tmp_path, turn)


async def test_a_model_gets_the_bytes_that_the_person_sent(bench: Bench) -> None:
    await bench.takes("application/pdf", "image/*")
    sent = (attach("pdf", name="report.pdf"), attach("png", name="plan.png"))
    outcome = await bench.ask(FakeDownloader({"pdf": PDF, "png": PNG}), *sent)
    assert (outcome.status, outcome.unread, outcome.read) == ("ok", (), ())
    assert [(part.mime_type, part.name) for part in bench.sent()] == [
        ("application/pdf", "report.pdf"),
        ("image/png", "plan.png"),
    ]
    for part, content in zip(bench.sent(), (PDF, PNG), strict=True):
        assert part.path.read_bytes() == content
        assert part.sha256 == hashlib.sha256(content).hexdigest()
    stored = await bench.stored()
    (request,) = await bench.database.read(lambda conn: requests.of_turn(conn, "u1"))
    assert [(file.original_name, file.request_id) for file in stored] == [
        ("report.pdf", request.id),
        ("plan.png", request.id),
    ]
    assert bench.sink.waits == [("download", "report.pdf"), ("download", "plan.png")]


async def test_a_model_that_takes_none_gets_the_text(bench: Bench) -> None:
    outcome = await bench.ask(FakeDownloader({"pdf": PDF}), attach("pdf", name="report.pdf"))
    assert "Secret of tea." in bench.provider.questions[-1]
    assert bench.provider.questions[-1].endswith("What is it?")
    assert "report.pdf" in bench.provider.questions[-1]
    (note,) = outcome.read
    assert (note.name, note.pages, note.chars) == ("report.pdf", 1, 23)
    assert bench.sink.waits == [("download", "report.pdf"), ("read", "report.pdf")]


async def test_a_document_stays_and_is_read_once(bench: Bench) -> None:
    await bench.ask(FakeDownloader({"pdf": PDF}), attach("pdf", name="report.pdf"))
    outcome = await bench.say("And the secret?", 2)
    assert "Secret of tea." in bench.provider.told[0]
    assert bench.provider.told[-1] == "And the secret?"
    assert (len(bench.readers.calls), outcome.read) == (1, ())


async def test_another_model_decides_anew(bench: Bench) -> None:
    await bench.takes("image/png")
    await bench.ask(FakeDownloader({"png": PNG}), attach("png", kind="photo"))
    assert len(bench.sent()) == 1
    await bench.takes()
    outcome = await bench.say("What was on it?", 2)
    assert bench.sent() == []
    assert "photo.jpg" in bench.provider.told[0]
    assert "can't" in bench.provider.told[0]
    assert outcome.unread == ()
    await bench.takes("image/png")
    await bench.say("And now?", 3)
    assert len(bench.sent()) == 1


async def test_a_question_without_anything_to_read_calls_no_model(bench: Bench) -> None:
    await bench.takes()
    turn = replace(bench.turn, has_words=False, text="[A picture]", attachments=(attach("png", kind="photo"),))
    outcome = await bench.service.run(turn, bench.sink, downloader=FakeDownloader({"png": PNG}))
    assert outcome.error is not None
    assert (outcome.status, outcome.error.code, outcome.asked) == ("failed", "file_no_sight", False)
    assert bench.provider.requests == []
    assert await bench.database.read(lambda conn: requests.recent(conn, 9)) == []
    assert len(await bench.stored()) == 1


async def test_a_picture_is_tried_with_a_model_that_is_not_listed(bench: Bench) -> None:
    await bench.ask(FakeDownloader({"png": PNG}), attach("png", kind="photo"))
    assert [part.mime_type for part in bench.sent()] == ["image/png"]


async def test_words_are_answered_though_a_file_is_not_readable(bench: Bench) -> None:
    bench.readers.result = FileUnreadable("locked", code="file_password")
    outcome = await bench.ask(FakeDownloader({"pdf": PDF}), attach("pdf", name="report.pdf"))
    assert outcome.status == "ok"
    assert [error.code for error in outcome.unread] == ["file_password"]
    assert "can't be read" in bench.provider.questions[-1]
    await bench.say("Really?", 2)
    assert len(bench.readers.calls) == 1


async def test_a_budget_refuses_before_the_download(bench: Bench) -> None:
    await bench.database.write(lambda conn: limit_people(conn, 1))
    await bench.say("One?", 1)
    downloader = FakeDownloader({"pdf": PDF})
    outcome = await bench.ask(downloader, attach("pdf"), number=2)
    assert outcome.error is not None
    assert outcome.error.code == "budget"
    assert downloader.asked == []
    assert (await bench.question(2)).parts[0]["key"] == "pdf"


async def test_a_stop_ends_the_download(bench: Bench) -> None:
    downloader = FakeDownloader({"pdf": PDF}, hold=asyncio.Event())
    task = asyncio.create_task(bench.ask(downloader, attach("pdf")))
    await downloader.begun.wait()
    bench.running.stop(bench.turn.lane)
    assert (await task).status == "stopped"
    assert bench.provider.requests == []
    assert list((bench.folder / "files").iterdir()) == []


async def test_a_question_that_is_asked_again_has_its_files(bench: Bench) -> None:
    await bench.takes("application/pdf")
    downloader = FakeDownloader({"pdf": PDF}, errors={"pdf": Unavailable("down")})
    first = await bench.ask(downloader, attach("pdf", name="report.pdf"))
    assert [error.code for error in first.unread] == ["file_not_received"]
    question = await bench.question()
    again = FakeDownloader({"pdf": PDF})
    for number in (2, 3):
        branch = Branch(question.conversation_id, question.parent_id, question.user_id)
        repeated = replace(
            bench.turn,
            id=f"u{number}",
            text=question.text,
            branch=branch,
            attachments=attachments_of(question.parts),
        )
        outcome = await bench.service.run(repeated, bench.sink, downloader=again)
        assert outcome.unread == ()
        assert [part.name for part in bench.sent()] == ["report.pdf"]
    assert again.asked == ["pdf"]


async def test_a_long_document_leaves_room_and_says_so(bench: Bench) -> None:
    bench.readers.result = Extracted("word " * 20_000, pages=40)
    outcome = await bench.ask(FakeDownloader({"pdf": PDF}), attach("pdf"))
    assert outcome.status == "ok"
    (note,) = outcome.read
    assert 0 < note.tokens <= 4800
    assert note.pages == 40


async def test_pages_without_text_are_shown_to_a_model_that_sees(bench: Bench) -> None:
    bench.readers.result = Extracted("", pages=2, without_text=2)
    await bench.takes()
    blind = await bench.ask(FakeDownloader({"pdf": PDF}), attach("pdf", name="scan.pdf"))
    assert [error.code for error in blind.unread] == ["file_no_text"]
    await bench.takes("image/jpeg")
    page = PagePicture(2, b"jpeg of page 2")
    bench.readers.result = Extracted("[page 1]\nOne.", pages=2, without_text=1, pictures=(page,))
    seeing = await bench.ask(FakeDownloader({"other": PDF + b"x"}), attach("other", name="scan.pdf"), number=2)
    assert [(part.mime_type, part.path.read_bytes()) for part in bench.sent()] == [("image/jpeg", b"jpeg of page 2")]
    assert seeing.read[0].pictures == (2,)
    assert bench.readers.calls[-1][1] > 0
