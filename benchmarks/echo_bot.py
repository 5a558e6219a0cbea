"""``python -m benchmarks.echo_bot``: the least that a bot can do; it sends back what it is told."""

from aiogram.types import Message

from benchmarks.bare_bot import run


async def _echo(message: Message) -> None:
    await message.answer(message.text or "")


if __name__ == "__main__":
    run(_echo)
