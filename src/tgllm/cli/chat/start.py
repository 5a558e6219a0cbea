"""Start of ``tgllm chat``: opens the services, and asks one question or begins the interactive chat."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tgllm.api import ModelNotFound
from tgllm.api.clock import Clock, SystemClock
from tgllm.api.errors import ConfigError, TgllmError
from tgllm.app import open_shell
from tgllm.cli.chat.arguments import Wanted, is_file, tell_apart
from tgllm.cli.chat.commands import Commands
from tgllm.cli.chat.engine import Engine
from tgllm.cli.chat.interactive import chat_on
from tgllm.cli.chat.notes import Notes
from tgllm.cli.chat.piped import Piped, read_piped
from tgllm.cli.chat.session import Session
from tgllm.cli.chat.talk import Talk
from tgllm.cli.core import model_warnings, warnings
from tgllm.cli.options import Options
from tgllm.config.load import LoadedConfig
from tgllm.i18n.numbers import size_text
from tgllm.observe.visible import visible_line
from tgllm.services.conversations import shell
from tgllm.services.conversations.history import estimate_tokens
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.attachment import Attachment

__all__ = ["Asking", "start"]

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Asking:
    """Command line of ``tgllm chat``."""

    args: tuple[str, ...] = ()
    model: str | None = None
    files: tuple[Path, ...] = ()
    question: str | None = None
    system: str | None = None
    persona: str | None = None
    go_on: bool = False
    as_json: bool = False


def start(options: Options, asking: Asking, clock: Clock | None = None) -> int:
    """Run the command; return the exit code: 0, 1 without an answer to all that was sent, 130 if Ctrl-C has stopped it.

    Raises:
        ConfigError: settings or arguments are invalid.
        TgllmError: the services can't be opened.
    """
    options.quiet_log()
    loaded = options.load()
    clock = clock or SystemClock()
    with Engine(lambda: open_shell(loaded, plugins=options.plugins, clock=clock)) as engine:
        core = engine.core
        notes = Notes(core.texts)
        wanted = _wanted(engine, asking)
        session = Session(engine, shell.new_lane(), core.config.language)
        talk = Talk(engine, session, notes, clock, as_json=asking.as_json)
        attached = [talk.files.attach(path) for path in wanted.files]
        most = round(core.config.files.max_mb * _MIB)
        piped = read_piped(most, lambda: notes.tell("terminal.waiting_for_input"))
        if piped is not None and len(piped.content) > most:
            raise TgllmError(notes.text("terminal.input_too_large", limit=size_text(core.texts, most)))
        has_question = bool(wanted.question.strip()) or piped is not None
        is_interactive = not has_question and sys.stdin.isatty() and not asking.as_json
        if not has_question and not is_interactive:
            raise ConfigError(notes.text("terminal.no_question"))
        _prepare(session, asking, wanted, notes)
        question = _with_piped(talk, wanted.question, piped, attached)
        _warn(engine, loaded, session, notes)
        if is_interactive:
            notes.is_interactive = True
            notes.tell("terminal.welcome", model=visible_line(str(session.model)))
            commands = Commands(talk, attached)
            for each in attached:
                notes.tell("terminal.attached", name=visible_line(each.name or ""))
            return chat_on(commands)
        return _code(talk.ask(question, attached))


def _code(outcome: TurnOutcome) -> int:
    if outcome.status == "stopped":
        return 130
    # An answer that knows only a part of what was sent is none for a script.
    return 0 if outcome.status == "ok" and not outcome.is_empty and not outcome.unread else 1


def _wanted(engine: Engine, asking: Asking) -> Wanted:
    """Return model, files and question of the command line.

    Raises:
        ConfigError: an argument is neither.
    """
    core = engine.core

    def is_model(text: str) -> bool:
        if asking.model is not None or "/" not in text or any(character.isspace() for character in text):
            return False
        try:
            core.registry.resolve(text)
        except ModelNotFound:
            return False
        return True

    told = tell_apart(asking.args, is_model, core.texts)
    for path in asking.files:
        if not is_file(str(path)):
            is_folder = path.expanduser().is_dir()
            name = visible_line(str(path))
            raise ConfigError(core.texts("terminal.file_is_folder" if is_folder else "terminal.no_file", name=name))
    question = " ".join(part for part in (asking.question, told.question) if part)
    return Wanted(asking.model or told.model, (*asking.files, *told.files), question)


def _with_piped(talk: Talk, question: str, piped: Piped | None, attached: list[Attachment]) -> str:
    """Return the question with the text that was piped in; what is too long for that, or no text, becomes a file."""
    if piped is None:
        return question
    text = piped.text
    if text is not None:
        room = round(talk.session.context * talk.engine.core.config.files.context_share)
        if not question or estimate_tokens(text) <= room:
            return f"{question}\n\n{text}" if question else text
    attached.append(talk.files.attach_piped(piped.content, "stdin" if text is None else "stdin.txt"))
    return question


def _prepare(session: Session, asking: Asking, wanted: Wanted, notes: Notes) -> None:
    """Open the last conversation if that is asked for, and set what the options say.

    Raises:
        ConfigError: there is no such persona, or no conversation.
        ModelNotFound: there is no such model.
    """
    if asking.go_on:
        past = session.past(1)
        if not past:
            raise ConfigError(notes.text("terminal.no_history"))
        session.open(past[0])
    personas = {each.name for each in session.engine.core.config.personas}
    if asking.persona is not None and asking.persona not in personas:
        known = ", ".join(sorted(personas)) or "-"
        raise ConfigError(
            notes.text("terminal.no_persona", name=visible_line(asking.persona), known=visible_line(known))
        )
    if asking.persona is not None:
        session.change(persona=asking.persona)
    if asking.system is not None:
        session.change(system=asking.system)
    if wanted.model is not None:
        session.choose(wanted.model)


def _warn(engine: Engine, loaded: LoadedConfig, session: Session, notes: Notes) -> None:
    """Tell that a model only repeats the question, and which plugins don't work."""
    core = engine.core
    for text in warnings(core, loaded):
        notes.write(text)
    model = session.model
    configured = engine.run(model_warnings(core)) if model.provider == "echo" else ()
    for text in configured:
        notes.write(text)
