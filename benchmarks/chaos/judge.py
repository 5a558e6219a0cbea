"""What a chat shows in the end: which questions were answered, how often, and in which order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.chaos.questions import Part, Question, parts_in
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage

__all__ = ["ASKED", "GIVEN_UP", "MARKED", "Verdict", "has_parts", "is_answered", "is_given_up", "judge"]

ASKED = "did not confirm"
"""In the question whether an answer is to be sent again."""
GIVEN_UP = "interrupted too often"
MARKED = "may be a repeat"
"""In a repeat that says that it may be one."""
_PLACEHOLDER = "Thinking..."


@dataclass(slots=True)
class Verdict:
    """Faults of one or several chats; each entry names what it is about."""

    lost: list[str] = field(default_factory=list[str])
    """Questions whose answer, or a part of it, is not there."""
    repeated: list[str] = field(default_factory=list[str])
    """Parts of answers that are there twice, without a mark."""
    marked: list[str] = field(default_factory=list[str])
    """Parts that are there twice, and say so."""
    disorder: list[str] = field(default_factory=list[str])
    asked: int = 0
    """Questions whether an answer has arrived."""
    given_up: int = 0
    placeholders: int = 0
    """Placeholders of answers that were left behind."""

    def add(self, other: "Verdict") -> None:
        """Add the faults of another chat."""
        self.lost += other.lost
        self.repeated += other.repeated
        self.marked += other.marked
        self.disorder += other.disorder
        self.asked += other.asked
        self.given_up += other.given_up
        self.placeholders += other.placeholders


def is_answered(chat: EmulatedChat, question: Question) -> bool:
    """Return whether all parts of the answer to this version of the question are there."""
    return has_parts(chat, question.part_names())


def has_parts(chat: EmulatedChat, parts: Sequence[Part]) -> bool:
    """Return whether a chat shows all of these parts."""
    return {part for message in _of_bot(chat) for part in parts_in(message.text)}.issuperset(parts)


def is_given_up(chat: EmulatedChat, asked: EmulatedMessage) -> bool:
    """Return whether the bot has said that it will not answer a message."""
    return any(GIVEN_UP in message.text and message.reply_to is asked for message in _of_bot(chat))


def judge(
    chat: EmulatedChat,
    asked: Sequence[tuple[Question, EmulatedMessage]],
    resent: frozenset[Part] = frozenset(),
) -> Verdict:
    """Judge a chat in which nothing happens any more.

    Args:
        chat: the chat.
        asked: the newest version of each question with its message, in the order in which they were asked.
        resent: parts that a person has asked for again, which come late.
    """
    verdict = Verdict()
    shown = [(part, MARKED in message.text) for message in _of_bot(chat) for part in parts_in(message.text)]
    counts = Counter(part for part, _ in shown)
    for part, count in counts.items():
        if count > 1:
            is_marked = sum(marked for each, marked in shown if each == part) >= count - 1
            (verdict.marked if is_marked else verdict.repeated).append(f"{part} {count} times")
    for question, message in asked:
        missing = [part for part in question.part_names() if part not in counts]
        if missing and not is_given_up(chat, message):
            verdict.lost.append(f"{question}: {', '.join(map(str, missing))}")
    first = list(dict.fromkeys(part for part, _ in shown if part not in resent))
    pairs = pairwise(first)
    verdict.disorder = [f"{later} after {earlier}" for earlier, later in pairs if later < earlier]
    texts = [message.text for message in _of_bot(chat)]
    verdict.asked = sum(any(ASKED in text for text in (each.text, *each.previous)) for each in _of_bot(chat))
    verdict.given_up = sum(GIVEN_UP in text for text in texts)
    verdict.placeholders = sum(text == _PLACEHOLDER for text in texts)
    return verdict


def _of_bot(chat: EmulatedChat) -> list[EmulatedMessage]:
    return [message for message in chat.messages if message.from_bot]
