"""Voice and video messages whose words are the question, and the question with those words."""

import re
from collections.abc import Collection, Sequence

from tgllm.services.files.attachment import Attachment

__all__ = ["is_spoken", "is_wordless", "lacks_words", "with_words"]

_SPOKEN = frozenset({"voice", "video_note"})
_LAST = r"(?:[^\[\]\n]{1,64}: )?(?P<remark>\[[^\[\]\n]*\])\Z"
"""A remark as the last line; in a group behind the name of the speaker."""
_REMARK = re.compile(r"(?:\A|(?<=\n))" + _LAST)
_WORDLESS = re.compile(r"(?:\[[^\n]*\]\n)*" + _LAST)


def is_spoken(attachment: Attachment, message_ids: Collection[int]) -> bool:
    """Return whether the words of a recording are those of the person who asks.

    Not those of a forwarded recording or of a replied message, and not those of a sent audio or video file.
    """
    return attachment.kind in _SPOKEN and not attachment.is_forwarded and attachment.message_id in message_ids


def lacks_words(question: str) -> bool:
    """Return whether a question ends with the remark on a wordless message, such as ``[A voice message]``."""
    return _REMARK.search(question) is not None


def is_wordless(question: str) -> bool:
    """Return whether a question consists of remarks only, such as on a forwarded file."""
    return _WORDLESS.match(question) is not None


def with_words(question: str, words: Sequence[str]) -> str:
    """Return a question with what was said in its recordings, in place of the remark on them, or below their caption.

    Unchanged if nothing was said, or if the question has the words already, as one that is asked again.
    """
    said = "\n\n".join(each.strip() for each in words if each.strip() and each.strip() not in question)
    if not said:
        return question
    remark = _REMARK.search(question)
    return f"{question}\n\n{said}" if remark is None else question[: remark.start("remark")] + said
