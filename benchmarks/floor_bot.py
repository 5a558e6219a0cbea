"""``python -m benchmarks.floor_bot``: streams a completion and replies once; no database, drafts or history."""

import os

from aiogram.types import Message

from benchmarks.bare_bot import run
from benchmarks.completion import Completions

_completions: list[Completions] = []


async def _answer(message: Message) -> None:
    if not _completions:
        _completions.append(Completions(os.environ["BENCHMARK_MODEL_URL"]))
    question = [{"role": "user", "content": message.text or ""}]
    answer = "".join([piece async for piece in _completions[0].stream(question)])
    await message.answer(answer.strip())


if __name__ == "__main__":
    run(_answer)
