"""Long documents with facts on late pages, stored as the bot stores them."""

import hashlib
import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from database_support import NOW
from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.db.tables.files import NewFile
from tgllm.providers.tokens import estimate_text
from tgllm.services.files.document_text import Document
from tgllm.services.files.passage_store import PassageStore

NEEDLES = Path(__file__).parents[2] / "services" / "files" / "needles.toml"
FREE_QUESTIONS = NEEDLES.with_name("free_questions.toml")
"""Others, to which the search was not tuned."""


@dataclass(frozen=True)
class Needle:
    """A fact, and a question about it in other words."""

    language: str
    text: str
    question: str


def needles(source: Path = NEEDLES) -> Sequence[Needle]:
    """All facts."""
    return [Needle(**row) for row in tomllib.loads(source.read_text(encoding="utf-8"))["needle"]]


def book(language: str, facts: Sequence[str], pages: int = 140, seed: int = 1, source: Path = NEEDLES) -> str:
    """A book in one language, with its facts spread over the pages of its second half."""
    filler = tomllib.loads(source.read_text(encoding="utf-8"))["filler"][language]
    # The same book each time.
    chance = random.Random(seed)
    space = "" if language in {"zh", "ja"} else " "
    places = {pages // 2 + 3 + index * (pages // 2 - 6) // max(len(facts), 1): fact for index, fact in enumerate(facts)}
    text = ""
    for page in range(1, pages + 1):
        sentences = [chance.choice(filler) for _ in range(22)]
        if page in places:
            sentences[chance.randrange(4, 18)] = places[page]
        chapter = f"Chapter {page // 10 + 1}\n\n" if page % 10 == 0 or page == 1 else ""
        text += f"[page {page}]\n{chapter}{space.join(sentences[:11])}\n\n{space.join(sentences[11:])}\n\n"
    return text


def estimate(text: str) -> int:
    """Tokens of a text as one message."""
    return 4 + estimate_text(text)


async def stored(database: Database, text: str, name: str = "book.pdf", **details: object) -> Document:
    """A document whose text is stored."""
    sha256 = hashlib.sha256(f"{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    new = NewFile(
        path=f"files/{sha256[:8]}", mime="application/pdf", size=1, sha256=sha256, original_name=name, user_id=None
    )
    await database.write(lambda conn: files.add(conn, new, NOW))
    assert await PassageStore(database).put(sha256, text) is not None
    return Document(sha256=sha256, name=name, mime="application/pdf", **details)  # type: ignore[arg-type]  fields by name
