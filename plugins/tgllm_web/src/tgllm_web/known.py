"""URLs that are known in a chat, by a message of a person, a result of a search, or a link of a page.

A model that reads a page with instructions of an attacker may be made to request a URL that contains what it knows of
the conversation. Such a URL is in no message, result or page; a URL that is in one of them carries nothing but itself.
What a model has written does not make a URL known.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import islice

from yarl import URL

from tgllm.api.people import ChatInfo
from tgllm.api.types import ChatMessage, TextPart

__all__ = ["KnownUrls", "urls_in"]

_MOST_CHATS, _MOST_URLS = 300, 2_000
_MOST_CHARACTERS = 300_000
"""Characters of the latest messages that are searched for URLs."""
_ENDS = ".,;:!?…)]}»”*_~`"
_MOST_ENDS = 5
_URL = re.compile(r"https?://[^\s<>\"'|\\^]{1,2000}", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,24}(?::\d{1,5})?(?![\w@-])"
    r"(?:[/?][^\s<>\"'|\\^]{0,2000})?",
    re.IGNORECASE,
)
_LINK = re.compile(r"\]\(([^()\s]{1,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,500})?)\)")

_Lane = tuple[int, int | None, int | None]


class KnownUrls:
    """The known URLs of all chats, the latest ones; lost with a restart, after which the person is asked instead."""

    def __init__(self) -> None:
        """Create an empty collection."""
        self._chats: OrderedDict[_Lane, OrderedDict[str, None]] = OrderedDict()

    def add(self, chat: ChatInfo, urls: Iterable[str]) -> None:
        """Add URLs to those of a chat."""
        known = self._chats.setdefault(_lane(chat), OrderedDict())
        self._chats.move_to_end(_lane(chat))
        for key in filter(None, map(_key, urls)):
            known[key] = None
            known.move_to_end(key)
        while len(known) > _MOST_URLS:
            known.popitem(last=False)
        while len(self._chats) > _MOST_CHATS:
            self._chats.popitem(last=False)

    def add_messages(self, chat: ChatInfo, messages: Iterable[ChatMessage]) -> None:
        """Add the URLs of what people have written; results of tools and answers of models don't count.

        Args:
            chat: where they were written.
            messages: the latest one first.
        """
        found: list[str] = []
        left = _MOST_CHARACTERS
        for message in messages:
            for part in message.parts if message.role == "user" else ():
                if isinstance(part, TextPart) and left > 0:
                    found.extend(islice(urls_in(part.text[:left]), _MOST_URLS - len(found)))
                    left -= len(part.text)
            if len(found) == _MOST_URLS:
                break
        # The latest is the last to be dropped.
        self.add(chat, reversed(found))

    def knows(self, chat: ChatInfo, url: str) -> bool:
        """Return whether a URL is known in a chat; the scheme, ``www.`` and a slash at the end make no difference."""
        key = _key(url)
        return key is not None and key in self._chats.get(_lane(chat), ())


def urls_in(text: str) -> Iterator[str]:
    """Yield the URLs of a text, also those without a scheme, with and without punctuation behind them."""
    for pattern in (_LINK, _URL, _BARE):
        for found in pattern.finditer(text):
            url = found[1] if pattern is _LINK else found[0]
            # Which of the brackets and dots at its end belong to a URL is unknown, so all of its beginnings count.
            least = max(len(url.rstrip(_ENDS)), len(url) - _MOST_ENDS)
            yield from (url[:end] for end in range(len(url), least - 1, -1))


def _lane(chat: ChatInfo) -> _Lane:
    return chat.id, chat.topic_id, chat.direct_topic_id


def _key(url: str) -> str | None:
    try:
        parsed = URL(url if "://" in url else f"https://{url}")
        host, port = parsed.host, parsed.port
    except ValueError:
        return None
    if not host or parsed.scheme not in {"http", "https"} or parsed.user is not None:
        return None
    named = "" if port in {80, 443} else f":{port}"
    return f"{host.lower().removeprefix('www.')}{named}{parsed.raw_path_qs.rstrip('/')}"
