"""Which files a request contains, within their share of the context: those of the question first, then the newest."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tgllm.api import TextPart
from tgllm.providers.tokens import estimate_file
from tgllm.services.files.document_chooser import ChosenText
from tgllm.services.files.document_text import Document
from tgllm.services.files.gathering.finder import Found, Whole
from tgllm.services.files.gathering.materials import Item

__all__ = ["Layout"]

WEIGHT = 3
"""A file that is sent as it is counts as at most one part in so many of the room: its true cost is not known."""
PAST_SHARE = 2
"""Such files of earlier messages take at most one part in so many of the room that the question leaves."""

LeftOut = Callable[[str], TextPart]
"""Returns the remark on a file that has no room, by its name."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A file that is sent as it is, and its weight in tokens."""

    whole: Whole
    tokens: int


class Layout:
    """Collects the files of the question, then those of earlier messages, newest first; each content once."""

    def __init__(self, room: int, left_out: LeftOut) -> None:
        """Begin with the room for files, in tokens."""
        self._most = max(1, room // WEIGHT)
        self._left_out = left_out
        self._past_left: int | None = None
        self._seen: set[str] = set()
        self._slots: dict[int | None, list[_Placed | Document | TextPart]] = {}
        self.left = max(0, room)
        """Tokens that are left for the texts of documents."""
        self.documents: list[Document] = []
        """In the order in which they were added."""

    def add(self, message_id: int | None, found: Found) -> None:
        """Add what was found of a message; None: of the question, which is the first one."""
        if message_id is not None and self._past_left is None:
            self._past_left = self.left // PAST_SHARE
        self._slots[message_id] = [placed for slot in found.slots for placed in self._place(slot)]

    def items(self, chosen: Mapping[str, ChosenText], estimate: Callable[[str], int]) -> dict[int | None, list[Item]]:
        """Return the items of each message, with the chosen texts of the documents."""
        return {
            message_id: [item for slot in slots for item in self._items(slot, chosen, estimate)]
            for message_id, slots in self._slots.items()
        }

    def _place(self, slot: Whole | Document | TextPart) -> Iterator[_Placed | Document | TextPart]:
        if isinstance(slot, TextPart):
            yield slot
            return
        sha256 = slot.sha256 if isinstance(slot, Document) else slot.part.sha256
        if sha256 in self._seen:
            # Such as a document that a later question has replied to.
            return
        self._seen.add(sha256)
        if isinstance(slot, Document):
            self.documents.append(slot)
            yield slot
        else:
            yield self._weighed(slot)

    def _weighed(self, whole: Whole) -> _Placed | TextPart:
        tokens = min(estimate_file(whole.part), self._most)
        if self._past_left is not None:
            if tokens > self._past_left:
                return self._left_out(whole.part.name or "")
            self._past_left -= tokens
        self.left = max(0, self.left - tokens)
        return _Placed(whole, tokens)

    def _items(
        self, slot: _Placed | Document | TextPart, chosen: Mapping[str, ChosenText], estimate: Callable[[str], int]
    ) -> Iterator[Item]:
        match slot:
            case TextPart():
                yield Item(slot, estimate(slot.text))
            case _Placed(whole, tokens):
                if whole.label:
                    yield Item(TextPart(whole.label), estimate(whole.label), whole.stays)
                yield Item(whole.part, tokens, whole.stays)
            case Document():
                text = chosen.get(slot.sha256)
                if text is None or not text.text:
                    remark = self._left_out(slot.name or "")
                    yield Item(remark, estimate(remark.text))
                else:
                    yield Item(TextPart(text.text.rstrip() + "\n\n"), text.tokens, stays=True)
