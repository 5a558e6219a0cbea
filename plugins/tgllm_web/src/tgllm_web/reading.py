"""Tool that reads a page."""

from collections import OrderedDict
from dataclasses import dataclass, field

from tgllm.api.clock import Clock
from tgllm.api.context import Texts
from tgllm.api.errors import ToolFailed
from tgllm.api.tools import Source, ToolOutput, ToolUse
from tgllm_web.allowed import Allowed
from tgllm_web.decoding import decoded, kind_of
from tgllm_web.extracting import Extractor, Page
from tgllm_web.fetching import Fetcher, checked_url
from tgllm_web.known import KnownUrls, urls_in
from tgllm_web.settings import UnknownUrls
from tgllm_web.text import clean, one_line, parts_of

__all__ = ["Reader"]

_KEPT_PAGES = 16
_KEPT_SECONDS = 600.0
_LONGEST_QUESTION = 700
_NOT_KNOWN = (
    "this URL is in no message of the person, no search result and no page that was read, so it is not opened: search "
    "for the page, or ask the person for its URL"
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A page that was read, for its other parts."""

    at: float
    url: str
    title: str
    parts: list[str] = field(repr=False)
    is_whole: bool


class Reader:
    """Reads pages; the latest ones are kept for a while, so that their other parts need no second request."""

    def __init__(  # noqa: PLR0913  each is a part of its own
        self,
        *,
        allowed: Allowed,
        fetcher: Fetcher,
        extractor: Extractor,
        known: KnownUrls,
        part_characters: int,
        unknown_urls: UnknownUrls,
        clock: Clock,
        texts: Texts,
    ) -> None:
        """Create a reader.

        Args:
            allowed: the rule for ports.
            fetcher: downloads pages.
            extractor: extracts the text of HTML.
            known: the URLs that are opened without a question.
            part_characters: maximum length of a part.
            unknown_urls: what happens to other URLs.
            clock: tells how old a kept page is.
            texts: the texts of the question.
        """
        self._allowed = allowed
        self._fetcher = fetcher
        self._extractor = extractor
        self._known = known
        self._part_characters = part_characters
        self._unknown_urls = unknown_urls
        self._clock = clock
        self._texts = texts
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def read(self, use: ToolUse) -> ToolOutput:
        """Return a part of a page.

        Raises:
            ToolFailed: the page can't be read, or the person does not want it to be opened.
        """
        target = checked_url(str(use.arguments["url"]), self._allowed)
        url = str(target)
        part = use.arguments.get("part")
        number = part if isinstance(part, int) else 1
        await self._check_known(url, use)
        page = self._again(url)
        if page is None:
            use.progress(target.host or "")
            page = await self._read(url)
        if number > len(page.parts):
            raise ToolFailed(f"the page has {len(page.parts)} part(s), so there is no part {number}")
        text = page.parts[number - 1]
        self._known.add(use.chat, [page.url, *urls_in(text)])
        return ToolOutput(_shown(page, number, text), sources=(Source(page.url, page.title),))

    async def _check_known(self, url: str, use: ToolUse) -> None:
        if self._unknown_urls == "open" or self._known.knows(use.chat, url):
            return
        if self._unknown_urls == "refuse" or use.ask is None or len(url) > _LONGEST_QUESTION:
            raise ToolFailed(_NOT_KNOWN)
        language = use.user.language
        yes = self._texts("web.open", language)
        # The bot adds a button that declines.
        if await use.ask(self._texts("web.unknown_url", language, url=url), (yes,)) != yes:
            raise ToolFailed("the person does not want this URL to be opened; answer without it")
        self._known.add(use.chat, [url])

    def _again(self, url: str) -> _Kept | None:
        kept = self._kept.get(url)
        return kept if kept is not None and self._clock.monotonic() - kept.at < _KEPT_SECONDS else None

    async def _read(self, url: str) -> _Kept:
        document = await self._fetcher.fetch(url)
        kind, text = kind_of(document), decoded(document)
        page = await self._extractor.extract(text, document.url) if kind == "html" else Page("", text)
        if not (plain := clean(page.text)):
            raise ToolFailed("the page has no text that can be read; it may need a browser, or a login")
        parts = parts_of(plain, self._part_characters)
        kept = _Kept(self._clock.monotonic(), document.url, one_line(page.title, 200), parts, document.is_whole)
        self._kept[url] = kept
        self._kept.move_to_end(url)
        while len(self._kept) > _KEPT_PAGES:
            self._kept.popitem(last=False)
        return kept


def _shown(page: _Kept, number: int, text: str) -> str:
    total = len(page.parts)
    lines = [f"URL: {page.url}"]
    if page.title:
        lines.append(f"Title: {page.title}")
    if total > 1:
        more = f"; the next one: part={number + 1}" if number < total else ""
        lines.append(f"Part {number} of {total}{more}")
    if not page.is_whole:
        lines.append("The page is larger than the limit; its end is left out.")
    return "\n".join([*lines, "", text])
