"""Choice of what the model reads of the documents of a conversation."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tgllm.api.clock import Clock, SystemClock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.full_text import has_full_text, plain_words
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv, passages
from tgllm.db.tables.passages import Outline
from tgllm.i18n import Catalogue
from tgllm.providers.tokens import estimate_text
from tgllm.services.files.document_text import Document, mark_of, shown_parts, tell_document, tell_unseen
from tgllm.services.files.search.places import named_parts, passages_of
from tgllm.services.files.search.references import references_in
from tgllm.services.files.search.scores import Index, Lookup, TitleIndex, score
from tgllm.services.files.search.terms import MOST_CHARS, Term, is_overview, plain, terms_of
from tgllm.services.files.selection import Wanted, select, share

__all__ = ["ChosenText", "DocumentChooser"]

CURRENT_WEIGHT: Final = 3
"""Share of a document that the question is about, compared with the others."""
EARLIER_WEIGHT: Final = 0.35
"""Weight of the words of the question before, if the question has few of its own: "and how much is it?"."""
FEW_TERMS: Final = 2
LEAST_PASSAGES_TOKENS: Final = 60
"""Tokens for content below which a document is only named."""
MOST_REMEMBERED: Final = 512
_SCOPE, _KEY = "bot", "document_secret"


@dataclass(frozen=True, slots=True)
class ChosenText:
    """What the model reads of a document."""

    text: str
    """The complete text for the model; empty if there is no room at all."""
    tokens: int
    """Of the text, by the estimate that was given; 0 if it is empty."""
    shown: tuple[str, ...]
    """Parts that are shown, such as ``page 1-3``; empty if it is shown as a whole or not at all."""
    is_whole: bool
    total_tokens: int
    """Estimate for the whole document."""
    passages: tuple[int, ...] = ()
    """Numbers of the passages that are shown, in order."""


@dataclass(slots=True)
class _Candidate:
    """A document while its passages are chosen."""

    document: Document
    stored: passages.Document
    outline: Sequence[Outline]
    ratio: float
    """Tokens by the given estimate for each token of the stored one."""
    overhead: int
    """Tokens of the text around the content."""
    mark: str
    wanted: list[Wanted] = field(default_factory=list[Wanted])
    """What the questions want, the current one last."""

    @property
    def total(self) -> int:
        """Tokens of the content and all around it."""
        return self.overhead + sum(map(self.cost, self.outline))

    def cost(self, entry: Outline) -> int:
        """Return the tokens of a passage."""
        return int(entry.tokens * self.ratio) + 1


class DocumentChooser:
    """Chooses the passages of documents that a request shows, by the question."""

    def __init__(self, database: Database, texts: Catalogue, clock: Clock | None = None) -> None:
        """Use a database, and the texts of the bot in its own language.

        The texts are not in the person's language, so that the requests of one chat share their prefix (prompt
        caching).
        """
        self._database = database
        self._texts = texts
        self._clock = clock or SystemClock()
        self._secret: str | None = None
        self._shown: OrderedDict[tuple[int | None, str], tuple[int, ...]] = OrderedDict()
        """Passages that were shown last, by conversation and content."""

    async def choose(
        self,
        documents: Sequence[Document],
        question: str,
        earlier_questions: Sequence[str],
        budget_tokens: int,
        estimate: Callable[[str], int],
        *,
        conversation: int | None = None,
    ) -> Mapping[str, ChosenText]:
        """Return what the model reads of each document, by the SHA-256 of its content.

        All texts together take at most ``budget_tokens``. Documents whose text is not stored are left out. The choice
        depends on the arguments and on what was shown of the same documents in the conversation before.

        Args:
            documents: newest first.
            question: the person's words.
            earlier_questions: the questions before, oldest first; the last ones are used.
            budget_tokens: maximum number of tokens.
            estimate: estimates the tokens of a text.
            conversation: id of the conversation.
        """
        if not documents:
            return {}
        secret = await self._read_secret()
        unique = list({document.sha256: document for document in reversed(documents)}.values())[::-1]
        before = {one.sha256: self._shown.get((conversation, one.sha256), ()) for one in unique}
        job = _Choice(unique, (*earlier_questions[-2:], question), budget_tokens, estimate, secret, self._texts, before)
        chosen = await self._database.read(job.run)
        for sha256, found in chosen.items():
            self._remember((conversation, sha256), found)
        return chosen

    def _remember(self, key: tuple[int | None, str], chosen: ChosenText) -> None:
        self._shown.pop(key, None)
        if chosen.passages and not chosen.is_whole:
            self._shown[key] = chosen.passages
        while len(self._shown) > MOST_REMEMBERED:
            self._shown.popitem(last=False)

    async def _read_secret(self) -> str:
        if self._secret is None:
            found = await self._database.read(_stored_secret)
            now = milliseconds(self._clock)
            self._secret = found or await self._database.write(lambda conn: _make_secret(conn, now))
        return self._secret


@dataclass(frozen=True, slots=True)
class _Choice:
    """One choice; it runs on the thread of the database's reader."""

    documents: Sequence[Document]
    questions: Sequence[str]
    """The current one last."""
    budget: int
    estimate: Callable[[str], int]
    secret: str
    say: Catalogue
    before: Mapping[str, Sequence[int]]

    def run(self, conn: Connection) -> dict[str, ChosenText]:
        """Return what is chosen."""
        candidates = self._candidates(conn)
        if sum(one.total for one in candidates) > self.budget:
            for one in candidates:
                self._look_up(conn, one)
        question = f" {' '.join(plain_words(plain(self.questions[-1][:MOST_CHARS])))} "
        weights = [CURRENT_WEIGHT if self._is_meant(one, question) else 1 for one in candidates]
        shares = share([one.total for one in candidates], weights, self.budget)
        left = self.budget - sum(shares)
        found = any(one.wanted and _has_matches(one.wanted[-1]) for one in candidates)
        chosen: dict[str, ChosenText] = {}
        # What the question is not about leaves more for what it is about; among equals the newest one gets it.
        order = sorted(range(len(candidates)), key=lambda index: (weights[index], -index))
        for index in order:
            one, room = candidates[index], shares[index] + left
            is_spread = not found or weights[index] > 1 or (one.wanted and one.wanted[-1].is_overview)
            chosen[one.document.sha256] = text = self._tell(conn, one, room, is_spread=bool(is_spread))
            left = room - text.tokens
        return {one.document.sha256: chosen[one.document.sha256] for one in candidates}

    def _candidates(self, conn: Connection) -> list[_Candidate]:
        stored = {found.sha256: found for found in passages.complete(conn, [one.sha256 for one in self.documents])}
        found: list[_Candidate] = []
        for document in self.documents:
            if document.sha256 not in stored:
                continue
            known = stored[document.sha256]
            outline = passages.outline(conn, known.id)
            mark = mark_of(self.secret, document.sha256)
            empty = tell_document(document, outline, {}, mark, self.say)
            ratio = self._ratio(conn, known.id)
            found.append(_Candidate(document, known, outline, ratio, self.estimate(empty) + 8, mark))
        return found

    def _ratio(self, conn: Connection, document_id: int) -> float:
        """Return how the estimate compares with the stored one, by the document's first passage."""
        text = passages.texts_of(conn, document_id, [0]).get(0, "")
        if len(text) < 400:
            text = text + "word " * 200
        return self.estimate(text) / max(estimate_text(text), 1)

    def _is_meant(self, one: _Candidate, question: str) -> bool:
        """Return whether the question is about a document: it came with it, replies to it, or names it."""
        name = " ".join(plain_words(plain((one.document.name or "").rpartition(".")[0] or one.document.name or "")))
        return one.document.current or (len(name) > 2 and f" {name} " in question)

    def _look_up(self, conn: Connection, one: _Candidate) -> None:
        """Look up in a document what the questions ask for."""
        if one.stored.indexed and has_full_text(conn):
            lookup = Lookup(conn, one.stored)
        else:
            lookup = Index(passages.texts_of(conn, one.stored.id, range(len(one.outline))))
        titles = TitleIndex.of(one.outline)
        read = partial(passages.texts_of, conn, one.stored.id)
        for index, question in enumerate(self.questions):
            earlier = self.questions[:index]
            wanted = terms_of(question)
            terms: dict[Term, float] = dict.fromkeys(wanted, 1.0)
            overview = is_overview(question)
            if len(wanted) <= FEW_TERMS and earlier and not overview:
                terms = dict.fromkeys(terms_of(earlier[-1]), EARLIER_WEIGHT) | terms
            named = [
                numbers for found in references_in(question, earlier) for numbers in passages_of(found, one.outline)
            ]
            named += named_parts(question, one.outline)
            scores = score(terms, lookup, titles, len(one.outline), read)
            one.wanted.append(Wanted(scores, named, overview))

    def _tell(self, conn: Connection, one: _Candidate, room: int, *, is_spread: bool) -> ChosenText:
        if one.total <= room:
            whole = self._render(conn, one, range(len(one.outline)), room)
            if whole is not None:
                return whole
        budget = room - one.overhead
        if budget >= LEAST_PASSAGES_TOKENS and one.wanted:
            numbers = self._select(one, budget, is_spread=is_spread)
            while numbers:
                text = self._render(conn, one, numbers, room)
                if text is not None:
                    return text
                numbers = numbers[: -max(len(numbers) // 16, 1)]
        unseen = tell_unseen(one.document, one.outline, self.say)
        tokens = self.estimate(unseen)
        fits = tokens <= room
        return ChosenText(unseen if fits else "", tokens if fits else 0, (), is_whole=False, total_tokens=one.total)

    def _select(self, one: _Candidate, budget: int, *, is_spread: bool) -> list[int]:
        previous: Sequence[int] = self.before[one.document.sha256]
        if not previous:
            # As if the bot had not been restarted since.
            for wanted in one.wanted[:-1]:
                previous = select(one.outline, wanted, budget, one.cost, previous)
        return select(one.outline, one.wanted[-1], budget, one.cost, previous, is_spread=is_spread)

    def _render(self, conn: Connection, one: _Candidate, numbers: Sequence[int], room: int) -> ChosenText | None:
        """Return the text with some passages; None if it does not fit."""
        texts = passages.texts_of(conn, one.stored.id, numbers)
        text = tell_document(one.document, one.outline, texts, one.mark, self.say)
        tokens = self.estimate(text)
        if tokens > room:
            return None
        is_whole = len(texts) == len(one.outline)
        shown = () if is_whole else shown_parts(one.outline, sorted(texts))
        return ChosenText(text, tokens, shown, is_whole, one.total, tuple(sorted(texts)))


def _has_matches(wanted: Wanted) -> bool:
    return bool(wanted.named) or any(wanted.scores)


def _stored_secret(conn: Connection) -> str | None:
    found = kv.get(conn, _SCOPE, _KEY)
    return found if isinstance(found, str) else None


def _make_secret(conn: Connection, now: int) -> str:
    """Return the secret of this installation; create it if there is none."""
    found = _stored_secret(conn)
    if found is None:
        found = secrets.token_hex(16)
        kv.set_value(conn, _SCOPE, _KEY, found, now)
    return found
