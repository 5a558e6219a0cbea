"""One conversation in the shell: questions through the turn engine, and the settings of the conversation."""

import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from tgllm.api import ModelNotFound, ModelRef
from tgllm.api.clock import milliseconds
from tgllm.cli.chat.engine import Engine
from tgllm.cli.chat.local_files import LocalFiles
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, files, models
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.messages import Message
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.chats.settings import ChatSettings, change_settings, persona_in, settings_of
from tgllm.services.conversations import branches, shell
from tgllm.services.conversations.turn import Branch, ShownEvent, Turn, TurnOutcome
from tgllm.services.files.attachment import Attachment, attachments_of
from tgllm.services.models.choices import choose_model
from tgllm.services.models.in_use import model_in_use
from tgllm.services.models.readiness import unlisted

__all__ = ["Asked", "End", "Session"]


class End:
    """Mark at the end of the events of an answer."""


class _QueueSink:
    """Passes the events of a turn to another thread."""

    def __init__(self, events: SimpleQueue[ShownEvent | End]) -> None:
        self._events = events

    def show(self, event: ShownEvent) -> None:
        self._events.put(event)

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:  # noqa: ARG002  of the protocol
        return ()


class Asked:
    """A question that is being answered."""

    def __init__(self, engine: Engine, turn: Turn, downloader: LocalFiles) -> None:
        self._engine = engine
        self._turn = turn
        self._events: SimpleQueue[ShownEvent | End] = SimpleQueue()
        core = engine.core
        self._future: Future[TurnOutcome] = engine.submit(
            core.conversations.run(turn, _QueueSink(self._events), downloader=downloader)
        )
        self._future.add_done_callback(lambda _: self._events.put(End()))

    def next(self, seconds: float) -> ShownEvent | End | None:
        """Return the next event, ``End`` after the last one, and None if there is none in so many seconds."""
        try:
            return self._events.get(timeout=seconds)
        except Empty:
            return None

    def stop(self, *, shutdown: bool = False) -> None:
        """Make the answer end with the text so far, which is stored."""
        running = self._engine.core.running

        def stop() -> None:
            handle = running.in_lane(self._turn.lane)
            if shutdown and handle is not None:
                handle.stop("shutdown")
            else:
                running.stop_turn(self._turn.lane, self._turn.id)

        self._engine.call(stop)

    def outcome(self) -> TurnOutcome:
        """Wait for the outcome, which is stored by then.

        Raises:
            DatabaseError: it can't be stored.
        """
        return self._future.result()


@dataclass(slots=True)
class Session:
    """A conversation in the shell."""

    engine: Engine
    lane: str
    language: str

    def ask(self, text: str, attachments: Sequence[Attachment], downloader: LocalFiles) -> Asked:
        """Ask a question."""
        return Asked(self.engine, self._turn(text, attachments=tuple(attachments)), downloader)

    def retry(self, downloader: LocalFiles) -> Asked | None:
        """Ask the last question again; None if there is none."""
        found = self.engine.read(self._last)
        if found is None:
            return None
        question, file_ids = found
        turn = self._turn(question.text, attachments_of(question.parts), branches.branch_before(question))
        return Asked(self.engine, replace(turn, file_ids=file_ids), downloader)

    def choose(self, text: str) -> ModelRef:
        """Choose the model of the conversation.

        Raises:
            ModelNotFound: there is no such model; the message suggests a similar one.
        """
        core = self.engine.core
        ref = self.engine.read(lambda conn: self._named(conn, text))
        self.engine.write(choose_model(core.clock, self.lane, ref))
        return ref

    def change(self, **fields: str | None) -> None:
        """Change settings of the conversation; see ``ChatSettings``."""
        self.engine.write(change_settings(self.engine.core.clock, self.lane, lambda old: replace(old, **fields)))

    @property
    def settings(self) -> ChatSettings:
        """The settings of the conversation."""
        return self.engine.read(lambda conn: settings_of(conversations.active_in(conn, self.lane)))

    @property
    def context(self) -> int:
        """Tokens of a request at most."""
        service, turn = self.engine.core.conversations, self._turn("")
        return self.engine.read(lambda conn: service.measure(service.load(conn, turn))).most

    @property
    def model(self) -> ModelRef:
        """The model that answers next."""
        core = self.engine.core
        configured = ModelRef.parse(core.config.default_model)

        def query(conn: Connection) -> ModelRef:
            conversation = conversations.active_in(conn, self.lane)
            persona = persona_in(settings_of(conversation), core.config.personas)
            return model_in_use(conn, conversation, configured, core.registry.canonical, persona).ref

        return self.engine.read(query)

    def clear(self) -> None:
        """Forget the conversation so far; it stays stored."""
        now = milliseconds(self.engine.core.clock)
        self.engine.write(lambda conn: branches.clear(conn, self.lane, now))

    def begin_new(self) -> None:
        """Begin a new conversation with the model and the settings of this one."""
        now = milliseconds(self.engine.core.clock)
        self.engine.write(lambda conn: branches.begin_new(conn, self.lane, now))

    def past(self, most: int) -> Sequence[Conversation]:
        """Return the conversations of the shell, the last changed first."""
        return self.engine.read(lambda conn: shell.past(conn, most))

    def open(self, conversation: Conversation) -> None:
        """Go on with a conversation."""
        now = milliseconds(self.engine.core.clock)
        self.engine.write(lambda conn: branches.reopen(conn, conversation.lane, conversation.id, now))
        self.lane = conversation.lane

    def _turn(self, text: str, attachments: tuple[Attachment, ...] = (), branch: Branch | None = None) -> Turn:
        return Turn(
            id=f"shell:{uuid.uuid4().hex}",
            lane=self.lane,
            user=shell.operator(self.language),
            chat=shell.CHAT,
            text=text,
            branch=branch,
            attachments=attachments,
            has_words=bool(text.strip()),
        )

    def _last(self, conn: Connection) -> tuple[Message, tuple[int, ...]] | None:
        question = branches.last_question(conn, self.lane)
        if question is None:
            return None
        keys = {each.key for each in attachments_of(question.parts)}
        kept = files.of_message(conn, question.id)
        return question, tuple(file.id for file in kept if file.key not in keys)

    def _named(self, conn: Connection, text: str) -> ModelRef:
        registry = self.engine.core.registry
        if "/" not in text:
            same = [each for each in models.list_all(conn) if text in (each.model, *each.aliases)]
            if len(same) == 1:
                return same[0].ref
        ref = registry.resolve(text)
        if problem := unlisted(conn, ref):
            raise ModelNotFound(problem)
        known = models.find(conn, ref)
        return ref if known is None else known.ref
