"""Commands of the interactive chat, which begin with a slash."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tgllm.cli.chat.arguments import is_file
from tgllm.cli.chat.talk import Talk
from tgllm.cli.words import moment
from tgllm.db.tables import models
from tgllm.observe.visible import visible_line
from tgllm.services.files.attachment import Attachment

__all__ = ["Commands"]

MOST_NAME = 60
"""Characters of an unknown command in the reply."""
MOST_PAST = 20
"""Conversations that ``/history`` lists."""
MOST_MODELS = 60
"""Models that ``/model`` lists."""


@dataclass(slots=True)
class Commands:
    """Commands of a chat, and the files that wait for the next question."""

    talk: Talk
    attached: list[Attachment] = field(default_factory=list[Attachment])
    """Files that go with the next question."""
    has_ended: bool = False

    def run(self, line: str) -> None:
        """Run a command line.

        Raises:
            TgllmError: the command has failed.
        """
        name, _, argument = line.removeprefix("/").partition(" ")
        command = self._table.get(name.lower())
        if command is not None:
            command(argument.strip())
            return
        near = difflib.get_close_matches(name.lower(), self._table, n=1)
        shown = visible_line(name)[:MOST_NAME]
        if near:
            self.talk.notes.tell("terminal.unknown_command_near", name=shown, nearest=near[0])
        else:
            self.talk.notes.tell("terminal.unknown_command", name=shown)

    def complete(self, line: str) -> Sequence[str]:
        """Return the completions of a line: of commands, and of their arguments."""
        name, space, argument = line.partition(" ")
        if not name.startswith("/"):
            return ()
        if not space:
            return [f"/{each} " for each in self._table if each.startswith(name[1:])]
        if name == "/file":
            return [f"/file {path}" for path in _paths(argument)]
        if name == "/model":
            return [f"/model {each}" for each in self._models() if each.startswith(argument)]
        return ()

    @property
    def _table(self) -> Mapping[str, Callable[[str], None]]:
        return {
            "help": self._help,
            "model": self._model,
            "file": self._file,
            "system": self._system,
            "retry": self._retry,
            "clear": self._clear,
            "new": self._new,
            "history": self._history,
            "continue": self._continue,
            "exit": self._exit,
            "quit": self._exit,
        }

    def _help(self, _: str) -> None:
        self.talk.notes.tell("terminal.help")

    def _exit(self, _: str) -> None:
        self.has_ended = True

    def _model(self, text: str) -> None:
        if text:
            self.talk.session.choose(text)
        else:
            listed = self._models() or self._fetched()
            for each in listed[:MOST_MODELS]:
                self.talk.notes.write(visible_line(each))
            if len(listed) > MOST_MODELS:
                self.talk.notes.tell("terminal.more_models", number=len(listed) - MOST_MODELS)
        self.talk.notes.tell("terminal.model", model=visible_line(str(self.talk.session.model)))

    def _models(self) -> list[str]:
        return self.talk.engine.read(lambda conn: [str(each.ref) for each in models.list_all(conn)])

    def _fetched(self) -> list[str]:
        self.talk.engine.run(self.talk.engine.core.models.fill_missing())
        return self._models()

    def _file(self, text: str) -> None:
        notes = self.talk.notes
        path = text.strip("\"'") if not is_file(text) else text
        if not text:
            if not self.attached:
                notes.tell("terminal.file_usage")
        elif not is_file(path):
            notes.tell("terminal.no_file", name=visible_line(text))
        else:
            self.attached.append(self.talk.files.attach(Path(path)))
        for each in self.attached:
            notes.tell("terminal.attached", name=visible_line(each.name or ""))

    def _system(self, text: str) -> None:
        session, notes = self.talk.session, self.talk.notes
        if text == "-":
            session.change(system=None)
        elif text:
            session.change(system=text)
        system = session.settings.system
        if system is None:
            notes.tell("terminal.no_system")
        else:
            notes.tell("terminal.system", text=system)

    def _retry(self, _: str) -> None:
        if self.talk.retry() is None:
            self.talk.notes.tell("terminal.nothing_to_retry")

    def _clear(self, _: str) -> None:
        self.attached.clear()
        self.talk.session.clear()
        self.talk.notes.tell("terminal.cleared")

    def _new(self, _: str) -> None:
        self.attached.clear()
        self.talk.session.begin_new()
        self.talk.notes.tell("terminal.begun")

    def _history(self, _: str) -> None:
        past = self.talk.session.past(MOST_PAST)
        for number, each in enumerate(past, start=1):
            self.talk.notes.write(f"{number:>3}  {moment(each.updated_at)}  {visible_line(each.title or '')}")
        self.talk.notes.tell("terminal.history" if past else "terminal.no_history")

    def _continue(self, text: str) -> None:
        past = self.talk.session.past(MOST_PAST)
        number = int(text) if text.isascii() and text.isdigit() else 1
        if not past or not 1 <= number <= len(past) or (text and not text.isdigit()):
            self.talk.notes.tell("terminal.no_such_conversation" if past else "terminal.no_history")
            return
        self.talk.session.open(past[number - 1])
        self.talk.notes.tell("terminal.continued", title=visible_line(past[number - 1].title or ""))


def _paths(start: str) -> list[str]:
    path = Path(start).expanduser()
    folder, name = (path, "") if start.endswith("/") else (path.parent, path.name)
    prefix = start[: len(start) - len(name)]
    try:
        found = sorted(each for each in folder.iterdir() if each.name.startswith(name))
    except OSError:
        return []
    return [f"{prefix}{each.name}{'/' if each.is_dir() else ''}" for each in found]
